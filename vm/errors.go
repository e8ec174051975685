package vm

import (
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

func (e Evidence) String() string {
	var b strings.Builder
	if console := strings.TrimSpace(e.Console); console != "" {
		b.WriteString("\nthe console's end:\n")
		for line := range strings.Lines(console) {
			b.WriteString("  | " + strings.TrimRight(line, "\r\n") + "\n")
		}
	} else {
		b.WriteString("\nthe console was empty\n")
	}
	if e.Command != "" {
		b.WriteString("QEMU was: " + e.Command + "\n")
	}
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

// Error implements error.
func (e *BootError) Error() string {
	return fmt.Sprintf("kernel %s: %s%s", e.Kernel, e.What, e.Evidence)
}

// InfraError is our trouble: no QEMU, no memory, a deadline, a garbled channel.
type InfraError struct {
	// Kernel is the name of the kernel.
	Kernel string
	Err    error
	Evidence
}

// Error implements error.
func (e *InfraError) Error() string {
	if e.Command == "" {
		return fmt.Sprintf("VM of kernel %s: %v", e.Kernel, e.Err)
	}
	return fmt.Sprintf("VM of kernel %s: %v%s", e.Kernel, e.Err, e.Evidence)
}

// Unwrap gives the cause.
func (e *InfraError) Unwrap() error { return e.Err }
