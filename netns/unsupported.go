package netns

import "fmt"

// UnsupportedError says that this kernel or machine lacks something, found by
// trying it. It makes a scenario a skip.
type UnsupportedError struct {
	// Feature is what was asked for: "link kind vlan".
	Feature string
	// Hint says how to get it: "CONFIG_VLAN_8021Q or module 8021q".
	Hint string
	// Err is what the kernel said.
	Err error
}

// Error implements error.
func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("%s is not to be had here: %v", e.Feature, e.Err)
}

// Unwrap gives what the kernel said.
func (e *UnsupportedError) Unwrap() error { return e.Err }
