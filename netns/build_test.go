// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"skleak/internal/testkit"
	"skleak/record"
	"skleak/scenarios"
)

// Whatever fails, at whatever stage, nothing may be left.
func TestBuildFailsClean(t *testing.T) {
	if !testkit.Inside() {
		t.Skip("builds links in the namespace of the process: run as root")
	}
	good := veth(common("v0", "10.9.9.1/24"), common("v1"))
	with := func(change func(*scenarios.Scenario)) scenarios.Scenario {
		s := scene("v0", good)
		change(&s)
		return s
	}
	stop := func(c context.Context) context.Context { c, cancel := context.WithCancel(c); cancel(); return c }
	for _, c := range []struct {
		name, want string
		s          scenarios.Scenario
		ctx        func(context.Context) context.Context
	}{
		{name: "name taken", want: "create veth v0: file exists", s: with(func(s *scenarios.Scenario) { s.Links = append(s.Links, good) })},
		{name: "bad mtu", want: "set its mtu to 70000", s: with(func(s *scenarios.Scenario) { s.Links[0].MTU = 70000 })},
		{name: "bad address", want: "address 10.9.9", s: with(func(s *scenarios.Scenario) { s.Links[0].Addresses = []string{"10.9.9"} })},
		{name: "bad neighbour", want: "neighbour 10.9.9.2 on v0", s: with(func(s *scenarios.Scenario) {
			s.Links[0].Neighbours = []scenarios.Neighbour{{Address: "10.9.9.2", LLAddr: "x"}}
		})},
		{name: "no way to go", want: "add route to 10.0.0.0/8", s: with(func(s *scenarios.Scenario) {
			s.Routes = []scenarios.Route{{To: "10.0.0.0/8", Via: "192.0.2.1"}}
		})},
		{name: "route in another namespace", want: "there is no link v0 in namespace far", s: with(func(s *scenarios.Scenario) {
			s.Routes = []scenarios.Route{{Netns: "far", To: "10.0.0.0/8", Link: "v0"}}
		})},
		{name: "cancelled", want: "context canceled", s: scene("v0", good), ctx: stop},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx := t.Context()
			if c.ctx != nil {
				ctx = c.ctx(ctx)
			}
			left := openedBy(t, func() {
				w, err := Build(ctx, c.s, Options{})
				if err == nil {
					_ = w.Close()
					t.Fatal("no error")
				}
				if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("error %q, want one line with %q", err, c.want)
				}
			})
			if links := linksLeft(); left != 0 || len(links) > 0 {
				t.Errorf("left: %d descriptors, %v", left, links)
			}
		})
	}
}

// EOPNOTSUPP for a kind that is there is no lack of the kind.
func TestRefusedIsNotUnsupported(t *testing.T) {
	s := emptySpace(t)
	lk := &link{Common: common("v0"), kind: "veth", space: s}
	err := lk.whyNot(&netlink.Veth{LinkAttrs: lk.attrs(nil)}, unix.EOPNOTSUPP)
	var missing *record.UnsupportedError
	if errors.As(err, &missing) {
		t.Errorf("veth is there, but: %v", err)
	}
	lk.kind = "vlan"
	err = lk.whyNot(&netlink.GenericLink{LinkAttrs: lk.attrs(nil), LinkType: "nosuchkind"}, unix.EOPNOTSUPP)
	if !errors.As(err, &missing) || missing.Feature != "link kind vlan" || !strings.Contains(missing.Hint, "8021q") {
		t.Errorf("error %v, want link kind vlan as unsupported", err)
	}
	if left, err := s.links(); err != nil || slices.ContainsFunc(left, func(l netlink.Link) bool { return !stays(l) }) {
		t.Errorf("the probe left links: %v, %v", left, err)
	}
}

func TestMulticastNeedsNoAddress(t *testing.T) {
	w := build(t, scene("x0", scenarios.Link{Common: common("x0"), Options: &scenarios.TapOptions{}}))
	for err, n := range newSender(t, w.spaces[0], "x0").send(3, false) {
		if err != nil {
			t.Errorf("%d sends without address or route: %v", n, err)
		}
	}
}

// The same name may be used in two namespaces.
func TestSameNameElsewhere(t *testing.T) {
	far := common("v0", "10.8.8.2/24")
	far.Netns, far.MTU = "far", 1300
	near := common("v0", "10.8.8.1/24")
	near.MTU = 1300
	w := build(t, scene("v0", veth(near, far), scenarios.Link{
		Common: scenarios.Common{Name: "m0", Netns: "far"}, Options: &scenarios.MacvlanOptions{Parent: "v0"},
	}))
	if info, ok := w.Link("v0"); !ok || info.Netns != "" || info.Addresses[0].String() != "10.8.8.1/24" {
		t.Errorf("v0 is %+v, %v", info, ok)
	}
	if info, ok := w.Link("m0"); !ok || info.Netns != "far" {
		t.Errorf("m0 is %+v, %v", info, ok)
	}
	if steps := told(climb(t, w)); !slices.Contains(steps, "lower link deleted: m0 (driver of m0)") {
		t.Errorf("steps %q", steps)
	}
	if got := w.find("far", "v0").label; got != "v0 in far" {
		t.Errorf("the far v0 is called %q", got)
	}
}

// Links that cannot run must not be waited for, and those that can must run.
func TestCarrier(t *testing.T) {
	near, far := common("v0"), common("v1")
	far.Down = true
	port := common("v2")
	port.Master = "br0"
	w := build(t, scene("v0", veth(near, far),
		scenarios.Link{Common: common("br0"), Options: &scenarios.BridgeOptions{}},
		veth(port, common("v3")),
		scenarios.Link{Common: common("m0"), Options: &scenarios.MacvlanOptions{Parent: "v0"}},
	))
	for name, want := range map[string]bool{"v0": false, "v1": false, "m0": false, "br0": true, "v2": true, "v3": true} {
		lk := w.find("", name)
		if got, err := lk.runs(); got != want || w.willRun(lk) != want || err != nil {
			t.Errorf("%s: runs %v, expected to %v, want %v (%v)", name, got, w.willRun(lk), want, err)
		}
	}
}

func TestIPv6IsOffUnlessAsked(t *testing.T) {
	for _, on := range []bool{false, true} {
		s := scene("v0", veth(common("v0"), common("v1")))
		s.IPv6 = on
		w := build(t, s)
		if _, err := os.Stat("/proc/sys/net/ipv6"); err != nil {
			t.Skip("this kernel has no IPv6")
		}
		info, _ := w.Link("v0")
		if got := len(info.Addresses) > 0; got != on {
			t.Errorf("IPv6 %v: addresses %v", on, info.Addresses)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		ipv6OnAgain(t)
	}
}

// ipv6OnAgain undoes what an earlier test in the same namespace has done.
func ipv6OnAgain(t *testing.T) {
	t.Helper()
	for _, name := range []string{"default", "all"} {
		if err := setSysctl("net/ipv6/conf/"+name+"/disable_ipv6", "0"); err != nil {
			t.Error(err)
		}
	}
}

// A socket closed on a full queue pins its namespace; cleaning frees it.
func TestCleanNamespace(t *testing.T) {
	s := emptySpace(t)
	addVeth(t, s)
	before := socketsUsed(t, s)
	for _, name := range []string{"v0", "lo"} {
		lk := &link{Common: common(name), space: s, index: linkUp(t, s, name, "").Attrs().Index}
		if err := lk.addQdisc(&scenarios.TbfOptions{Rate: 8, Burst: 1600}, netlink.HANDLE_ROOT); err != nil {
			t.Fatal(err)
		}
		snd := newSender(t, s, name)
		snd.send(100, false)
		snd.close()
	}
	// NB: netlink sockets are counted until an RCU grace period after their close.
	within(t, "two closed sockets pinned", func() bool { return socketsUsed(t, s) == before+2 })
	if err := CleanNamespace(s.handle); err != nil {
		t.Fatal(err)
	}
	within(t, "sockets freed", func() bool { return socketsUsed(t, s) == before })
	links, err := s.links()
	if err != nil || slices.ContainsFunc(links, func(l netlink.Link) bool { return !stays(l) }) {
		t.Errorf("links %v, %v", links, err)
	}
	if err := CleanNamespaceAt("/proc/self/fd/nothing"); err == nil {
		t.Error("a path that leads nowhere is no error")
	}
}

func socketsUsed(t *testing.T, s *space) int {
	t.Helper()
	used := -1
	err := s.do(func() error {
		text, err := os.ReadFile("/proc/thread-self/net/sockstat")
		if err == nil {
			_, err = fmt.Sscanf(string(text), "sockets: used %d", &used)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return used
}

func TestModules(t *testing.T) {
	if got := moduleNames([]byte("veth 16384 0 - Live 0x0\nsch_tbf 1 2 x,\n\n")); !slices.Equal(got, []string{"veth", "sch_tbf"}) {
		t.Errorf("modules %q", got)
	}
	if got := newIn([]string{"c", "a", "b"}, []string{"b"}); !slices.Equal(got, []string{"a", "c"}) {
		t.Errorf("new modules %q", got)
	}
	dep := "kernel/net/8021q/8021q.ko.xz: kernel/net/802/mrp.ko.xz\nkernel/drivers/net/a-b.ko:\n\nbroken\n"
	if got := depNames([]byte(dep)); !slices.Equal(got, []string{"8021q", "a_b"}) {
		t.Errorf("loadable modules %q", got)
	}
	s := scene("v0", veth(common("v0"), common("v1")))
	s.Links[0].Qdisc = qdisc(&scenarios.PlugOptions{})
	s.Filters = []scenarios.Filter{{Action: "nfqueue"}}
	var got []string
	for _, n := range scenarios.Needs(s) {
		got = append(got, n.Feature+" "+strings.Join(n.Modules, " "))
	}
	want := []string{"link kind veth veth", "qdisc plug sch_plug", "netfilter rules nf_tables", "NFQUEUE nfnetlink_queue", "a rule that queues nft_queue"}
	if !slices.Equal(got, want) {
		t.Errorf("needs %q, want %q", got, want)
	}
}

func TestNothingIsLoadedThatIsRefused(t *testing.T) {
	team := func(mode string) scenarios.Scenario {
		return scene("t0", scenarios.Link{Common: common("t0"), Options: &scenarios.TeamOptions{Mode: mode}})
	}
	macsec := func(keyless bool) scenarios.Scenario {
		return scene("m0", scenarios.Link{Common: common("m0"), Options: &scenarios.MacsecOptions{Keyless: keyless}})
	}
	packet := scene("v0", veth(common("v0"), common("v1")))
	packet.Traffic.Socket = scenarios.SocketPacket
	for name, c := range map[string]struct {
		s        scenarios.Scenario
		loadable string
		there    string
		want     string
	}{
		"all there":        {team(""), "team team_mode_roundrobin", "team team_mode_roundrobin", ""},
		"all built in":     {team(""), "", "", ""},
		"the kind":         {team(""), "team team_mode_roundrobin", "", "team"},
		"team's mode":      {team("broadcast"), "team team_mode_broadcast", "team", "team_mode_broadcast"},
		"its default":      {team(""), "team team_mode_roundrobin", "team", "team_mode_roundrobin"},
		"macsec's cipher":  {macsec(false), "macsec gcm", "macsec", "gcm"},
		"without a key":    {macsec(true), "macsec gcm", "macsec", ""},
		"a packet socket":  {packet, "veth af_packet", "veth", "af_packet"},
		"another's module": {packet, "veth gcm", "veth", ""},
	} {
		there := strings.Fields(c.there)
		n, _ := firstToLoad(scenarios.Needs(c.s), strings.Fields(c.loadable), func(n scenarios.Need) bool { return slices.Contains(there, n.Modules[0]) })
		if got := strings.Join(n.Modules, " "); got != c.want {
			t.Errorf("%s: %q would be loaded, want %q", name, got, c.want)
		}
	}
	crypto := []byte("name         : gcm(aes)\ndriver       : generic-gcm-aesni\n\nname         : aes\n")
	if !hasCipher(crypto, "gcm(aes)") || hasCipher(crypto, "generic-gcm-aesni") || hasCipher(crypto, "ctr(aes)") {
		t.Error("ciphers of /proc/crypto")
	}
}

func FuzzModules(f *testing.F) {
	f.Add("kernel/net/8021q/8021q.ko.xz: kernel/net/802/mrp.ko.xz\n")
	f.Add("veth 16384 0 - Live 0x0\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range append(depNames([]byte(text)), moduleNames([]byte(text))...) {
			if strings.ContainsAny(name, "\n:") && !strings.Contains(text, name) {
				t.Errorf("name %q of %q", name, text)
			}
		}
	})
}
