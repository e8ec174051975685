// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"skleak/internal/capture"
	"skleak/scenarios"
)

func needIodine(t *testing.T) {
	t.Helper()
	if _, err := findIodine(); err != nil {
		t.Skipf("%v: apt-get install iodine", err)
	}
}

func iodineLink(name string) scenarios.Common {
	return scenarios.Common{Name: name, Addresses: []string{"172.29.198.129/28"}}
}

func TestIodine(t *testing.T) {
	needIodine(t)
	s := emptySpace(t)
	left := openedBy(t, func() {
		p, err := startIodine(t.Context(), s, iodineLink("a23456789012345"))
		if err != nil {
			t.Fatal(err)
		}
		again, err := startIodine(t.Context(), s, scenarios.Common{Name: "dns1", Addresses: []string{"172.29.199.1/28"}})
		if err != nil {
			t.Fatalf("a second one: %v", err)
		}
		snd := newSender(t, s, "a23456789012345")
		defer snd.close()
		if answers := snd.send(100, false); answers[nil] != 100 {
			t.Errorf("sends answered %v", answers)
		}
		for _, p := range []*process{p, p, again} {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat("/proc/" + strconv.Itoa(p.cmd.Process.Pid)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("process %d is still there: %v", p.cmd.Process.Pid, err)
			}
		}
	})
	if left != 0 {
		t.Errorf("%d descriptors left", left)
	}
	links, err := s.nl.LinkList()
	if err != nil || len(links) != 1 {
		t.Errorf("links left beside lo: %v, %v", links, err)
	}
}

func TestIodineRefusals(t *testing.T) {
	needIodine(t)
	s := emptySpace(t)
	addVeth(t, s)
	over, stop := context.WithCancel(t.Context())
	stop()
	for _, c := range []struct {
		name, want string
		ctx        context.Context
		link       scenarios.Common
	}{
		{"no address", "needs an IPv4 address", t.Context(), scenarios.Common{Name: "dns0"}},
		{"bad address", "172.29", t.Context(), scenarios.Common{Name: "dns0", Addresses: []string{"172.29"}}},
		{"narrow network", "/9 to a /30", t.Context(), scenarios.Common{Name: "dns0", Addresses: []string{"172.29.198.129/31"}}},
		{"long name", "at most 15", t.Context(), iodineLink("a234567890123456")},
		{"name taken", "ended", t.Context(), iodineLink("v0")},
		{"no time", "context canceled", over, iodineLink("dns0")},
	} {
		t.Run(c.name, func(t *testing.T) {
			left := openedBy(t, func() {
				p, err := startIodine(c.ctx, s, c.link)
				if err == nil {
					_ = p.Close()
					t.Fatal("no error")
				}
				if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("error %q, want one line with %q", err, c.want)
				}
			})
			if left != 0 {
				t.Errorf("%d descriptors left", left)
			}
		})
	}
}

func TestSaying(t *testing.T) {
	said := &capture.Tail{Limit: 8}
	if got := saying(said); got != "nothing" {
		t.Errorf("%q of no output", got)
	}
	_, _ = said.Write([]byte("at\nthe end"))
	if got := saying(said); got != "the end" {
		t.Errorf("got %q", got)
	}
}
