// SPDX-License-Identifier: GPL-2.0-only

package procsock

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Namespace is a network namespace that somebody can enter.
type Namespace struct {
	Inode uint64
	// Name is that of its file under /run/netns, "" without one.
	Name string
	// PIDs are some of the processes in it, Mount a file it is bound to.
	PIDs  []int
	Mount string
}

// Title is the namespace in a message.
func (n Namespace) Title() string {
	if n.Name != "" {
		return "namespace " + n.Name
	}
	return fmt.Sprintf("namespace net:[%d]", n.Inode)
}

// maxNamespacePIDs is how many processes are kept for each namespace: one may
// end before it is used.
const maxNamespacePIDs = 4

// Namespaces lists the network namespaces of all processes, and those bound to a
// file. One that only a descriptor or a socket keeps alive is not among them.
func Namespaces() ([]Namespace, error) {
	pids, err := allPIDs()
	if err != nil {
		return nil, err
	}
	found := map[uint64]*Namespace{}
	at := func(inode uint64) *Namespace {
		if found[inode] == nil {
			found[inode] = &Namespace{Inode: inode}
		}
		return found[inode]
	}
	for _, pid := range append([]int{os.Getpid()}, pids...) {
		inode, err := netnsOf(pid)
		if err != nil {
			continue // it ended, or is not ours to see
		}
		if n := at(inode); len(n.PIDs) < maxNamespacePIDs {
			n.PIDs = append(n.PIDs, pid)
		}
	}
	mounts, err := boundNamespaces()
	if err != nil {
		return nil, err
	}
	for inode, mount := range mounts {
		n := at(inode)
		n.Mount = mount
		if filepath.Base(filepath.Dir(mount)) == "netns" {
			n.Name = filepath.Base(mount)
		}
	}
	var list []Namespace
	for _, n := range found {
		list = append(list, *n)
	}
	slices.SortFunc(list, func(a, b Namespace) int {
		if a.Inode < b.Inode {
			return -1
		}
		return 1
	})
	return list, nil
}

// NetnsOf is the inode of a process's network namespace.
func NetnsOf(pid int) (uint64, error) {
	inode, err := netnsOf(pid)
	if err != nil {
		return 0, fmt.Errorf("find the network namespace of process %d: %w", pid, err)
	}
	return inode, nil
}

func netnsOf(pid int) (uint64, error) {
	link, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err != nil {
		return 0, err
	}
	return inodeOf(link, "net")
}

// inodeOf reads "net:[4026531840]" or "socket:[12]".
func inodeOf(link, what string) (uint64, error) {
	text, ok := strings.CutPrefix(link, what+":[")
	if !ok || !strings.HasSuffix(text, "]") {
		return 0, fmt.Errorf("%q is no %s", link, what)
	}
	return strconv.ParseUint(strings.TrimSuffix(text, "]"), 10, 64)
}

// boundNamespaces finds network namespaces that are mounted on a file.
func boundNamespaces() (map[uint64]string, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("look for bound namespaces: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	found := map[uint64]string{}
	s := bufio.NewScanner(f)
	for s.Scan() {
		// proc_pid_mountinfo(5): the fourth field is the root within the file
		// system, the fifth where it is mounted.
		fields := strings.Fields(s.Text())
		if len(fields) < 5 {
			continue
		}
		if inode, err := inodeOf(fields[3], "net"); err == nil {
			found[inode] = unescapeMount(fields[4])
		}
	}
	return found, s.Err()
}

// unescapeMount undoes the \040 of mangle_path (fs/seq_file.c).
func unescapeMount(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// Do runs f on a thread of its own inside the namespace; goroutines that f starts
// run outside it.
func (n Namespace) Do(f func() error) error {
	h, err := n.Open()
	if err != nil {
		return err
	}
	defer h.Close() //nolint:errcheck // it was only used to enter
	return onThread(func() error {
		if err := netns.Set(h); err != nil {
			return fmt.Errorf("enter %s: %w; run it as root", n.Title(), err)
		}
		return f()
	})
}

func (n Namespace) paths() []string {
	var paths []string
	for _, pid := range n.PIDs {
		paths = append(paths, fmt.Sprintf("/proc/%d/ns/net", pid))
	}
	if n.Mount != "" {
		paths = append(paths, n.Mount)
	}
	return paths
}

// Open gives a handle of the namespace, which the caller closes.
func (n Namespace) Open() (netns.NsHandle, error) {
	errs := os.ErrNotExist
	for _, path := range n.paths() {
		if inode, err := handleInode(path); err != nil || inode != n.Inode {
			continue // it ended, or went elsewhere
		}
		h, err := netns.GetFromPath(path)
		if err == nil {
			return h, nil
		}
		errs = err
	}
	return netns.None(), fmt.Errorf("open %s, which may be gone: %w", n.Title(), errs)
}

func handleInode(path string) (uint64, error) {
	var st unix.Stat_t
	err := unix.Stat(path, &st)
	return st.Ino, err
}

// onThread runs f on a thread that is thrown away.
//
// NB: never unlocked, and a goroutine of its own keeps it off the main thread
// (golang/go#53210).
func onThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		done <- f()
	}()
	return <-done
}
