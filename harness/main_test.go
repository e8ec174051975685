package harness

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/procfs"
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
	before := openFiles()
	code := m.Run()
	if left := leftBehind(before); code == 0 && left != "" {
		fmt.Fprintln(os.Stderr, "left behind:", left)
		code = 1
	}
	os.Exit(code)
}

// leftBehind waits a little for what is on its way out.
func leftBehind(filesBefore int) string {
	left := ""
	for range 100 {
		left = ""
		if n := openFiles(); n > filesBefore {
			left += fmt.Sprintf("%d file descriptors; ", n-filesBefore)
		}
		if c := children(); len(c) > 0 {
			left += fmt.Sprintf("processes %v; ", c)
		}
		if e := ownEntries(); len(e) > 0 {
			left += fmt.Sprintf("registry entries %v; ", e)
		}
		if left == "" {
			return ""
		}
		time.Sleep(50 * time.Millisecond)
	}
	return left
}

func openFiles() int {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	n := 0
	for _, f := range files {
		// The runtime opens its poller when it first needs one.
		link, err := os.Readlink("/proc/self/fd/" + f.Name())
		if err == nil && !strings.HasPrefix(link, "anon_inode:") {
			n++
		}
	}
	return n
}

// children are the sandboxes and keepers of this test binary, keepers that
// lost their parent too.
func children() []int {
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return nil
	}
	procs, err := procfs.AllProcs()
	if err != nil {
		return nil
	}
	var pids []int
	for _, p := range procs {
		if exe, err := p.Executable(); err == nil && exe == self && p.PID != os.Getpid() && p.PID != os.Getppid() {
			pids = append(pids, p.PID)
		}
	}
	return pids
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
