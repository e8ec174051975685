// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"

	"skleak/record"
)

// Accel is how QEMU runs a guest's code.
type Accel string

// The ways.
const (
	AccelAuto Accel = "auto"
	AccelKVM  Accel = "kvm"
	AccelTCG  Accel = "tcg"
)

// ParseAccel reads a flag.
func ParseAccel(s string) (Accel, error) {
	switch a := Accel(s); a {
	case AccelAuto, AccelKVM, AccelTCG:
		return a, nil
	}
	return "", fmt.Errorf("acceleration %q: want %s, %s or %s", s, AccelAuto, AccelKVM, AccelTCG)
}

func (a Accel) option() string {
	if a == AccelTCG {
		return "tcg,thread=multi"
	}
	return string(a)
}

// trialDeadline is how long a kernel may take to /init under KVM, where it
// takes half a second when KVM works.
const trialDeadline = 4 * time.Second

// kvmDevice is what must open before a trial makes sense.
const kvmDevice = "/dev/kvm"

// ChooseAccel finds out what auto means here: a device that opens proves
// nothing (some hosts' KVM hangs every kernel), so v's kernel is booted once
// under KVM with a short deadline. What came of it is kept in cache, a folder,
// until this machine boots again or QEMU changes.
func ChooseAccel(ctx context.Context, v VM, cache string) (Accel, error) {
	f, err := os.OpenFile(kvmDevice, os.O_RDWR, 0)
	if err != nil {
		return AccelTCG, nil //nolint:nilerr // no KVM is no trouble
	}
	if err := f.Close(); err != nil {
		return AccelTCG, err
	}
	m, err := remembered(ctx, cache)
	if err != nil || m.Accel != "" {
		return m.Accel, err
	}
	m.Accel = AccelTCG
	v.Accel, v.Keep = AccelKVM, ""
	v.Deadlines = Deadlines{Boot: trialDeadline, Quiet: trialDeadline, Total: 2 * trialDeadline}
	err = v.hello(ctx)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err == nil {
		m.Accel = AccelKVM
	}
	return m.Accel, m.write()
}

// hello boots a guest that only says so.
func (v VM) hello(ctx context.Context) error {
	if err := v.ready(); err != nil {
		return err
	}
	g, err := v.boot(request{Mode: ModeHello})
	if err != nil {
		return err
	}
	err = g.follow(ctx, func(record.Event) bool { return true })
	return errors.Join(err, g.close())
}

// memory is what was found out about this machine.
type memory struct {
	// Key names the boot and the QEMU it was found with.
	Key   string `json:"key"`
	Accel Accel  `json:"accel"`
	file  string
}

// remembered reads what was found out; without Accel if that was another boot
// or another QEMU.
func remembered(ctx context.Context, cache string) (memory, error) {
	m := memory{file: filepath.Join(cache, "accel.json")}
	key, err := machineKey(ctx)
	if err != nil {
		return m, err
	}
	data, err := os.ReadFile(m.file)
	if err == nil && json.Unmarshal(data, &m) == nil && m.Key == key {
		return m, nil
	}
	m.Key, m.Accel = key, ""
	return m, nil
}

func (m memory) write() error {
	data, err := json.Marshal(m)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(m.file), 0o755)
	}
	if err == nil {
		err = renameio.WriteFile(m.file, append(data, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("remember which acceleration works: %w", err)
	}
	return nil
}

// machineKey names this boot and this QEMU.
func machineKey(ctx context.Context) (string, error) {
	program, err := findQEMU()
	if err != nil {
		return "", err
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("which boot of this machine: %w", err)
	}
	version, err := exec.CommandContext(ctx, program, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("ask QEMU's version: %w", err)
	}
	sum := sha256.Sum256(bytes.Join([][]byte{boot, version}, nil))
	return hex.EncodeToString(sum[:12]), nil
}
