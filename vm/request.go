// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"encoding/json"
	"fmt"
	"os"

	"skleak/scenarios"
)

// Where things are in the guest.
const (
	guestInit    = "/init"
	guestRequest = "/skleak/request.json"
	guestNotes   = "/run/skleak-notes"
	guestModules = "skleak/modules"
	guestBusybox = "/bin/busybox"
	// guestTaken has the command that was taken along from the host.
	guestTaken = "/skleak/command"
	// guestApplets has busybox's programs. It is the last in the PATH, so that
	// those of packages go first.
	guestApplets = "/opt/busybox"
	guestPath    = "/bin:/sbin:" + guestApplets
)

// Mode is what a guest is for.
type Mode string

// The modes.
const (
	// ModeRun runs scenarios and powers off.
	ModeRun Mode = "run"
	// ModeHello says hello and powers off: a trial.
	ModeHello Mode = "hello"
	// ModeShell gives a prompt on the console.
	ModeShell Mode = "shell"
	// ModeCommand runs one command and powers off.
	ModeCommand Mode = "command"
)

// request is what a guest finds in its initramfs.
type request struct {
	Mode Mode `json:"mode"`
	// Modules are files in the guest, in the order to load them.
	Modules   []guestModule        `json:"modules"`
	Scenarios []scenarios.Scenario `json:"scenarios,omitempty"`
	// Options is for the guest's runner; vm does not look into it.
	Options json.RawMessage `json:"options,omitempty"`
	// Argv is the command of ModeCommand.
	Argv []string `json:"argv,omitempty"`
	// Env is what a shell or a command gets.
	Env []string `json:"env,omitempty"`
	// Rows and Columns are the size of a person's terminal; 0 is unknown.
	Rows    int `json:"rows,omitempty"`
	Columns int `json:"columns,omitempty"`
}

// guestModule is a module to load.
type guestModule struct {
	Name string `json:"name"`
	File string `json:"file"`
	// Soft says that not loading is no trouble.
	Soft bool `json:"soft,omitempty"`
}

func readRequest(name string) (request, error) {
	var req request
	data, err := os.ReadFile(name)
	if err != nil {
		return req, fmt.Errorf("read the guest's request: %w", err)
	}
	if err := json.Unmarshal(data, &req); err != nil {
		return req, fmt.Errorf("read the guest's request: %w", err)
	}
	return req, nil
}
