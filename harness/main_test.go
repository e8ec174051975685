// SPDX-License-Identifier: GPL-2.0-only

package harness

import (
	"os"
	"strings"
	"testing"

	"skleak/internal/testkit"
)

// TestMain is the sandbox child and the keeper too, since Local executes the
// running binary again. It fails when the tests leave anything behind.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case SandboxCommand:
			os.Exit(Child(os.Args[2:]))
		case KeeperCommand:
			os.Exit(Keeper(os.Args[2:]))
		case AwakeCommand:
			os.Exit(Awake(os.Args[2:]))
		}
	}
	os.Exit(testkit.Main(m, testkit.Files(), testkit.NoProcesses, ownEntries))
}

// ownEntries are those whose locks this process holds.
func ownEntries() []string {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return []string{err.Error()}
	}
	var own []string
	for _, f := range files {
		link, err := os.Readlink("/proc/self/fd/" + f.Name())
		if err == nil && strings.HasPrefix(link, RegistryDir+"/") {
			own = append(own, link)
		}
	}
	return own
}
