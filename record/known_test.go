// SPDX-License-Identifier: GPL-2.0-only

package record

import (
	"strings"
	"testing"
)

func TestUpstreamOfAKernel(t *testing.T) {
	for _, c := range []struct{ release, version, want string }{
		{"6.1.0-56-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-11-16)", "6.1.192"},
		{"5.10.0-46-amd64", "#1 SMP Debian 5.10.262-1 (2026-10-02)", "5.10.262"},
		{"6.12.118+deb13-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.12.118-1 (2026-11-20)", "6.12.118"},
		{"7.3.4+deb13-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 7.3.4-1~bpo13+1 (2026-11-12)", "7.3.4"},
		{"6.19-rc6-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.19~rc6-1~exp1 (2026-01-20)", "6.19-rc6"},
		{"6.18.44-fc-v657", "#1 SMP", "6.18.44"},
		{"7.3.0-rc6", "#1 SMP", "7.3-rc6"},
		{"7.3.0-rc6-00012-gdeadbeef", "#1 SMP", "7.3-rc6"},
		{"7.3.0", "#1 SMP", "7.3"},
		{"7.3.0-mine", "#1 SMP", "7.3"},
		{"6.17.4-200.fc42.x86_64", "#1 SMP", "6.17.4"},
		{"5.14.0-427.el9.x86_64", "#1 SMP", ""},
		{"4.18.1-80.el8.x86_64", "#1 SMP", ""},
		{"6.8.0-45-generic", "#45-Ubuntu SMP", ""},
		{"6.1.0-56-amd64", "", ""},
		{"six", "", ""},
		{"", "", ""},
	} {
		u, told := Kernel{Release: c.release, Version: c.version}.Upstream()
		if got := u.String(); told != (c.want != "") || told && got != c.want {
			t.Errorf("%s, %s: %s %t, want %q", c.release, c.version, got, told, c.want)
		}
	}
}

func TestParseUpstream(t *testing.T) {
	for _, s := range []string{"7.3", "7.3-rc7", "6.12.117", "5.10.262"} {
		if u, err := ParseUpstream(s); err != nil || u.String() != s {
			t.Errorf("%s: %s, %v", s, u, err)
		}
	}
	for _, s := range []string{"", "7", "7.3.", "v7.3", "7.3.4-rc1", "7.3-rc", "07.3", "7.3.4.5", "6.12.y", "7.3 "} {
		if u, err := ParseUpstream(s); err == nil {
			t.Errorf("%q is %s", s, u)
		}
	}
}

func TestFixedInAndSeries(t *testing.T) {
	for _, c := range []struct {
		rule, release string
		want          bool
	}{
		{"6.12.117", "6.12.116", false},
		{"6.12.117", "6.12.117", true},
		{"6.12.117", "6.12.118", true},
		{"6.12.117", "6.13.1", false},
		{"6.12.117", "6.18.15", false},
		{"7.3-rc7", "7.3-rc6", false},
		{"7.3-rc7", "7.3-rc7", true},
		{"7.3-rc7", "7.3", true},
		{"7.3-rc7", "7.3.4", true},
		{"7.3-rc7", "7.4-rc1", true},
		{"7.3-rc7", "8.0", true},
		{"7.3-rc7", "7.2.13", false},
		{"7.3", "7.3-rc7", false},
	} {
		u, err := ParseUpstream(c.release)
		if err != nil {
			t.Fatal(err)
		}
		if got := FixedIn(c.rule).has(u); got != c.want {
			t.Errorf("%s has the fix of %s: %t", c.release, c.rule, got)
		}
	}
	for _, c := range []struct {
		series, release string
		want            bool
	}{
		{"6.1", "6.1.192", true},
		{"6.1", "6.12.1", false},
		{"6.1..7.3", "6.1", true},
		{"6.1..7.3", "7.3.4", true},
		{"6.1..7.3", "7.3-rc1", true},
		{"6.1..7.3", "7.4-rc1", false},
		{"6.1..7.3", "5.10.262", false},
	} {
		u, err := ParseUpstream(c.release)
		if err != nil {
			t.Fatal(err)
		}
		if got := Series(c.series).has(u); got != c.want {
			t.Errorf("%s is of %s: %t", c.release, c.series, got)
		}
	}
}

func TestExcuses(t *testing.T) {
	team := Known{
		Verdict: Leaked, Holder: "driver of team0", FixedBy: "489114c9ecae", FixedIn: []FixedIn{"6.12.117", "7.2.13", "7.3-rc7"},
	}
	card := Known{Verdict: Stalled, Holder: "qdisc * on eth0", Kernels: []Series{"6.1..7.3"}}
	for _, c := range []struct {
		name    string
		known   Known
		verdict Verdict
		holder  string
		release string
		granted bool
		remark  string
	}{
		{"before the fix", team, Leaked, "driver of team0", "6.1.192", true, ""},
		{"before the fix of its series", team, Leaked, "driver of team0", "6.12.116", true, ""},
		{"a series that never got it", team, Leaked, "driver of team0", "6.18.15", true, ""},
		{"fixed in its series, and back", team, Leaked, "driver of team0", "6.12.118", false, "fixed in 6.12.117 by 489114c9ecae, and back in 6.12.118"},
		{"fixed in the mainline, and back", team, Leaked, "driver of team0", "7.4.0-rc1", false, "fixed in 7.3-rc7 by 489114c9ecae, and back in 7.4-rc1"},
		{"another verdict", team, Orphaned, "", "6.1.192", false, "not the known defect, which is leaked by driver of team0"},
		{"another holder", team, Leaked, "driver of v0", "6.1.192", false, "not the known defect, which is leaked by driver of team0"},
		{"nobody named", team, Leaked, "", "6.1.192", false, "not the known defect"},
		{"a distribution's own numbers", team, Leaked, "driver of team0", "5.14.0-427.el9", true, `"5.14.0-427.el9" does not tell which release`},
		{"one of its kernels", card, Stalled, "qdisc pfifo_fast on eth0", "6.12.117", true, ""},
		{"a later kernel", card, Stalled, "qdisc pfifo_fast on eth0", "7.4.0", false, "known of 6.1..7.3, and not of 7.4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := c.known.Excuses(c.verdict, c.holder, Kernel{Release: c.release})
			if got.Granted != c.granted || !strings.Contains(got.Remark, c.remark) || c.remark == "" && got.Remark != "" {
				t.Errorf("%+v, want %t, %q", got, c.granted, c.remark)
			}
		})
	}
}

func TestKnownInWords(t *testing.T) {
	for want, k := range map[string]Known{
		"leaked": {Verdict: Leaked},
		"leaked by driver of team0, fixed by 489114c9ecae in 6.12.117, 7.3-rc7, CVE-2026-99026": {
			Verdict: Leaked, Holder: "driver of team0", FixedBy: "489114c9ecae", CVE: "CVE-2026-99026", FixedIn: []FixedIn{"6.12.117", "7.3-rc7"},
		},
		"stalled by qdisc * on eth0, known of 6.1..7.3": {Verdict: Stalled, Holder: "qdisc * on eth0", Kernels: []Series{"6.1..7.3"}},
	} {
		if got := k.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
