// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"errors"
	"fmt"
	"strings"
)

// Evidence is what goes with trouble in a guest.
type Evidence struct {
	// Console is the end of the guest's console.
	Console string
	// Command is the QEMU command as a shell would take it.
	Command string
	// Replay is a skleak command that does the same again.
	Replay string
}

// String has a line for each piece of evidence there is.
func (e Evidence) String() string {
	if e.Command == "" {
		return ""
	}
	var b strings.Builder
	if console := strings.TrimSpace(e.Console); console != "" {
		b.WriteString("\nthe console's end:\n")
		for line := range strings.Lines(console) {
			b.WriteString("  | " + strings.TrimRight(line, "\r\n") + "\n")
		}
	} else {
		b.WriteString("\nthe console was empty\n")
	}
	b.WriteString("QEMU was: " + e.Command + "\n")
	if e.Replay != "" {
		b.WriteString("again: " + e.Replay)
	}
	return strings.TrimRight(b.String(), "\n")
}

// BootError is the kernel's fault: a panic, an oops, no init, a hang.
type BootError struct {
	// Kernel is the name of the kernel.
	Kernel string
	// What happened, with the kernel's own words where there are any.
	What string
	Evidence
}

// Error implements error; Explain has the evidence too.
func (e *BootError) Error() string { return fmt.Sprintf("kernel %s: %s", e.Kernel, e.What) }

// InfraError is our trouble: no QEMU, no memory, a deadline, a garbled channel.
type InfraError struct {
	// Kernel is the name of the kernel.
	Kernel string
	Err    error
	Evidence
}

// Error implements error; Explain has the evidence too.
func (e *InfraError) Error() string { return fmt.Sprintf("VM of kernel %s: %v", e.Kernel, e.Err) }

// Unwrap gives the cause.
func (e *InfraError) Unwrap() error { return e.Err }

// Explain is err with the evidence of a guest's trouble, on lines of its own.
func Explain(err error) string {
	var boot *BootError
	var infra *InfraError
	switch {
	case errors.As(err, &boot):
		return err.Error() + boot.String()
	case errors.As(err, &infra):
		return err.Error() + infra.String()
	default:
		return err.Error()
	}
}
