// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"skleak/record"
	"skleak/scenarios"
)

// errModule is why a kind is refused under Options.RefuseModules.
var errModule = errors.New("its module is not loaded, and loading modules is refused")

// loadedModules reads /proc/modules; a kernel without modules has none.
func loadedModules() ([]string, error) {
	text, err := os.ReadFile("/proc/modules")
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list loaded modules: %w", err)
	}
	return moduleNames(text), nil
}

// moduleNames takes the first word of each line.
func moduleNames(text []byte) []string {
	var names []string
	for line := range bytes.Lines(text) {
		if words := bytes.Fields(line); len(words) > 0 {
			names = append(names, string(words[0]))
		}
	}
	return names
}

func newIn(after, before []string) []string {
	var out []string
	for _, name := range after {
		if !slices.Contains(before, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func unsupported(n scenarios.Need, err error) error {
	return &record.UnsupportedError{Feature: n.Feature, Hint: n.Hint(), Err: err}
}

// refuseModules says which of the scenario's needs would load a module.
func refuseModules(s scenarios.Scenario) error { return refuseToLoad(scenarios.Needs(s)) }

// QdiscWithoutLoading is a *record.UnsupportedError if a qdisc of that kind would load
// its module.
func QdiscWithoutLoading(kind string) error {
	return refuseToLoad([]scenarios.Need{scenarios.QdiscNeed(kind)})
}

func refuseToLoad(wanted []scenarios.Need) error {
	if _, err := os.Stat("/proc/modules"); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	loadable, err := loadableModules()
	if err != nil {
		return err
	}
	if n, found := firstToLoad(wanted, loadable, isThere); found {
		return unsupported(n, errModule)
	}
	return nil
}

// firstToLoad is the first need that a loadable module has and that is not
// there yet.
func firstToLoad(wanted []scenarios.Need, loadable []string, isThere func(scenarios.Need) bool) (scenarios.Need, bool) {
	for _, n := range wanted {
		can := slices.ContainsFunc(n.Modules, func(m string) bool { return slices.Contains(loadable, m) })
		if can && !isThere(n) {
			return n, true
		}
	}
	return scenarios.Need{}, false
}

// isThere looks for the modules, or for the cipher: that of a loaded module has to
// be put together first, which may load further ones.
func isThere(n scenarios.Need) bool {
	if n.Cipher == "" {
		for _, module := range n.Modules {
			if _, err := os.Stat("/sys/module/" + module); err != nil {
				return false
			}
		}
		return true
	}
	text, err := os.ReadFile("/proc/crypto")
	return err == nil && hasCipher(text, n.Cipher)
}

// hasCipher looks for a line "name         : gcm(aes)".
func hasCipher(text []byte, cipher string) bool {
	for line := range bytes.Lines(text) {
		key, value, _ := strings.Cut(string(line), ":")
		if strings.TrimSpace(key) == "name" && strings.TrimSpace(value) == cipher {
			return true
		}
	}
	return false
}

// loadableModules lists the modules of the running kernel that modprobe would
// find. What is built in is not among them.
func loadableModules() ([]string, error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return nil, os.NewSyscallError("uname", err)
	}
	release := unix.ByteSliceToString(u.Release[:])
	text, err := os.ReadFile("/lib/modules/" + release + "/modules.dep")
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list loadable modules: %w", err)
	}
	return depNames(text), nil
}

// depNames takes the names out of modules.dep: "kernel/net/8021q/8021q.ko.xz: …".
func depNames(text []byte) []string {
	var names []string
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		file, _, ok := strings.Cut(lines.Text(), ":")
		if !ok {
			continue
		}
		name, _, _ := strings.Cut(path.Base(file), ".ko")
		names = append(names, strings.ReplaceAll(name, "-", "_"))
	}
	return names
}
