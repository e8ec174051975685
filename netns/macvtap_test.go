// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"

	"skleak/record"
	"skleak/record/kerneltest"
	"skleak/scenarios"
)

func addMacvtap(t *testing.T, s *space) {
	t.Helper()
	addVeth(t, s)
	parent := linkUp(t, s, "v0", "")
	// NB: a zero LinkAttrs asks for a queue of length 0, which takes no packet.
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.ParentIndex = "mt0", parent.Attrs().Index
	tap := &netlink.Macvtap{Macvlan: netlink.Macvlan{LinkAttrs: attrs, Mode: netlink.MACVLAN_MODE_BRIDGE}}
	if err := s.nl.LinkAdd(tap); err != nil {
		kerneltest.SkipOrFail(t, kerneltest.Feature{Since: "2.6", Options: []string{"MACVTAP"}}, err)
	}
	if err := s.nl.LinkSetAllmulticastOn(linkUp(t, s, "mt0", "")); err != nil {
		t.Fatal(err)
	}
}

// inUserNamespace tells root of a user namespace, who may not mknod, from root:
// for him not all ids are mapped to themselves (user_namespaces(7)).
func inUserNamespace(t *testing.T) bool {
	t.Helper()
	ids, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(ids)), " ") != "0 0 4294967295"
}

func TestMacvtapReads(t *testing.T) {
	s := emptySpace(t)
	addMacvtap(t, s)
	left := openedBy(t, func() {
		tap, err := openMacvtap(s, "mt0", scenarios.Reader{})
		var missing *record.UnsupportedError
		if errors.As(err, &missing) && inUserNamespace(t) {
			t.Skipf("%v; %s", missing, missing.Hint)
		}
		if err != nil {
			t.Fatal(err)
		}
		// What comes in at the parent goes to the macvtap, once it takes every
		// multicast group; nobody reads it yet.
		snd := newSender(t, s, "v1")
		defer snd.close()
		within(t, "packets received", func() bool {
			// The carrier comes in the kernel's own time.
			snd.send(1, false)
			mt0, err := s.nl.LinkByName("mt0")
			return err == nil && mt0.Attrs().Statistics.RxPackets >= 20
		})
		if got := tap.packets(); got != 0 {
			t.Errorf("%d packets read by nobody", got)
		}
		if err := tap.drain(); err != nil {
			t.Fatal(err)
		}
		within(t, "packets read", func() bool { return tap.packets() >= 20 })
		if err := tap.Close(); err != nil {
			t.Error(err)
		}
	})
	if left != 0 {
		t.Errorf("%d descriptors left", left)
	}
}

func TestMacvtapOfAnotherKind(t *testing.T) {
	s := emptySpace(t)
	addVeth(t, s)
	for _, name := range []string{"v0", "missing"} {
		tap, err := openMacvtap(s, name, scenarios.Reader{})
		if err == nil {
			_ = tap.Close()
			t.Errorf("%s opened as a macvtap", name)
		}
	}
}

func TestParseDev(t *testing.T) {
	major, minor, err := parseDev("241:1\n")
	if err != nil || major != 241 || minor != 1 {
		t.Errorf("%d:%d, %v", major, minor, err)
	}
	for _, bad := range []string{"", ":", "241", "241:", "a:1", "1:-1", "1:99999999999", "1:2:3"} {
		if _, _, err := parseDev(bad); err == nil {
			t.Errorf("%q taken", bad)
		}
	}
}

func FuzzParseDev(f *testing.F) {
	f.Add("241:1\n")
	f.Add("4095:1048575")
	f.Fuzz(func(t *testing.T, text string) {
		major, minor, err := parseDev(text)
		if err == nil && (major > 1<<12-1 || minor > 1<<20-1) {
			t.Errorf("%q gives %d:%d", text, major, minor)
		}
	})
}
