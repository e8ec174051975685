// SPDX-License-Identifier: GPL-2.0-only

package harness

import (
	"fmt"
	"os"
	"strconv"
	"syscall"

	"skleak/netns"
)

// netnsID is the number of the network namespace that the run itself lives in.
// Whatever deletes links compares with it first.
type netnsID uint64

// ownNamespace is where a handle to the calling process's namespace is.
const ownNamespace = "/proc/self/ns/net"

func currentNamespace() (netnsID, error) { return namespaceNumber(ownNamespace) }

func namespaceNumber(path string) (netnsID, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, fmt.Errorf("look at network namespace %s: %w", path, err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, fmt.Errorf("look at network namespace %s: no inode number", path)
	}
	return netnsID(stat.Ino), nil
}

// lastsWord, after the number, makes a child serve one scenario after another.
const lastsWord = "lasts"

// childArgs are what parseChildArgs reads.
func childArgs(out netnsID, lasts bool) []string {
	if lasts {
		return []string{out.String(), lastsWord}
	}
	return []string{out.String()}
}

// parseChildArgs reads the arguments a parent hands its child.
func parseChildArgs(args []string) (out netnsID, lasts bool, err error) {
	if len(args) == 2 && args[1] == lastsWord {
		args, lasts = args[:1], true
	}
	out, err = parseNetnsID(args)
	return out, lasts, err
}

// parseNetnsID reads the argument a child hands its keeper.
func parseNetnsID(args []string) (netnsID, error) {
	if len(args) != 1 {
		return 0, fmt.Errorf("%s and %s are started by skleak itself, not by hand", SandboxCommand, KeeperCommand)
	}
	n, err := strconv.ParseUint(args[0], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("number of the outer network namespace: %w", err)
	}
	return netnsID(n), nil
}

func (o netnsID) String() string { return strconv.FormatUint(uint64(o), 10) }

// mustDiffer refuses a namespace that is the run's own.
func (o netnsID) mustDiffer(path string) error {
	n, err := namespaceNumber(path)
	if err != nil {
		return err
	}
	if n == o {
		return fmt.Errorf("network namespace %s is the run's own: nothing is built or deleted there", path)
	}
	return nil
}

// clean deletes every link of the namespace at path, which must not be the run's own.
func (o netnsID) clean(path string) error {
	if err := o.mustDiffer(path); err != nil {
		return err
	}
	return netns.CleanNamespaceAt(path)
}
