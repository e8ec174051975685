// SPDX-License-Identifier: GPL-2.0-only

package record

import (
	"errors"
	"fmt"
)

// ErrUnsupported is in every UnsupportedError.
var ErrUnsupported = errors.New("not supported here")

// UnsupportedError says that this kernel, machine or user lacks something, found
// by trying it. It makes a scenario a skip, and a run with a ledger one without.
type UnsupportedError struct {
	// Feature is what was asked for: "link kind vlan".
	Feature string
	// Hint says how to get it: "CONFIG_VLAN_8021Q or module 8021q".
	Hint string
	// Err is what the kernel said.
	Err error
}

// Error implements error. The hint is not in it: see WithHint.
func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("%s is not available here: %v", e.Feature, e.Err)
}

// Unwrap gives what the kernel said.
func (e *UnsupportedError) Unwrap() error { return e.Err }

// Is reports whether target is ErrUnsupported.
func (e *UnsupportedError) Is(target error) bool { return target == ErrUnsupported }

// WithHint is the text of err and, if it is of something unsupported, what would
// help.
func WithHint(err error) string {
	var missing *UnsupportedError
	if errors.As(err, &missing) && missing.Hint != "" {
		return err.Error() + "; " + missing.Hint
	}
	return err.Error()
}
