package meter

import (
	"fmt"
	"os"
	"testing"
)

// TestMain fails when a test leaves a file descriptor open.
func TestMain(m *testing.M) {
	// The runtime's poller opens its own on first use.
	if f, err := os.Open("/dev/null"); err == nil {
		_ = f.Close()
	}
	before := openFiles()
	code := m.Run()
	if after := openFiles(); code == 0 && after > before && !fuzzing() {
		fmt.Fprintf(os.Stderr, "the tests left %d file descriptors open\n", after-before)
		code = 1
	}
	os.Exit(code)
}

func openFiles() int {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(files)
}

// fuzzing reports a run whose workers keep pipes of their own.
func fuzzing() bool {
	for _, arg := range os.Args {
		if len(arg) > 10 && arg[:10] == "-test.fuzz" {
			return true
		}
	}
	return false
}
