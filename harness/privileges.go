// SPDX-License-Identifier: GPL-2.0-only

package harness

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// PrivilegeError says that this user cannot make a sandbox here.
type PrivilegeError struct {
	// Setting is the setting in the way, or "" when none was found.
	Setting string
	Err     error
}

// Error implements error.
func (e *PrivilegeError) Error() string {
	why := "the system does not allow it"
	if e.Setting != "" {
		why = e.Setting + " is in the way"
	}
	return fmt.Sprintf("make a network namespace: %v: %s; run it with sudo", e.Err, why)
}

// Unwrap gives what the kernel said.
func (e *PrivilegeError) Unwrap() error { return e.Err }

// explainStart turns the errors that mean "not allowed" into PrivilegeError.
func explainStart(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES),
		errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EUSERS), errors.Is(err, syscall.EINVAL):
		return &PrivilegeError{Setting: settingInTheWay(os.ReadFile), Err: err}
	default:
		return fmt.Errorf("start the sandbox: %w", err)
	}
}

// settingInTheWay looks at the sysctls that forbid user namespaces.
func settingInTheWay(read func(string) ([]byte, error)) string {
	for _, s := range []struct{ file, name, bad string }{
		{"/proc/sys/kernel/unprivileged_userns_clone", "kernel.unprivileged_userns_clone", "0"},
		{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "kernel.apparmor_restrict_unprivileged_userns", "1"},
		{"/proc/sys/user/max_user_namespaces", "user.max_user_namespaces", "0"},
		{"/proc/sys/user/max_net_namespaces", "user.max_net_namespaces", "0"},
	} {
		b, err := read(s.file)
		if err == nil && strings.TrimSpace(string(b)) == s.bad {
			return "sysctl " + s.name + "=" + s.bad
		}
	}
	return ""
}
