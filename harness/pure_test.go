// SPDX-License-Identifier: GPL-2.0-only

package harness

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"skleak/scenarios"
)

func TestSettingInTheWay(t *testing.T) {
	for _, c := range []struct{ file, value, want string }{
		{"/proc/sys/kernel/unprivileged_userns_clone", "0\n", "sysctl kernel.unprivileged_userns_clone=0"},
		{"/proc/sys/kernel/unprivileged_userns_clone", "1\n", ""},
		{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n", "sysctl kernel.apparmor_restrict_unprivileged_userns=1"},
		{"/proc/sys/user/max_user_namespaces", "0\n", "sysctl user.max_user_namespaces=0"},
		{"/proc/sys/user/max_user_namespaces", "100\n", ""},
	} {
		got := settingInTheWay(func(name string) ([]byte, error) {
			if name == c.file {
				return []byte(c.value), nil
			}
			return nil, os.ErrNotExist
		})
		if got != c.want {
			t.Errorf("%s=%q: %q, want %q", c.file, c.value, got, c.want)
		}
	}
}

func TestExplainStart(t *testing.T) {
	var denied *PrivilegeError
	if err := explainStart(fmt.Errorf("fork: %w", syscall.EPERM)); !errors.As(err, &denied) {
		t.Errorf("EPERM: %v, want a PrivilegeError", err)
	}
	if err := explainStart(fmt.Errorf("fork: %w", syscall.ENOMEM)); err == nil || errors.As(err, &denied) {
		t.Errorf("ENOMEM: %v, want trouble that is no PrivilegeError", err)
	}
	if err := explainStart(nil); err != nil {
		t.Error(err)
	}
}

func TestOrder(t *testing.T) {
	tbf := &scenarios.Qdisc{Options: &scenarios.TbfOptions{}}
	holds := func(name string, control scenarios.ControlKind) scenarios.Scenario {
		return scenarios.Scenario{Name: name, Control: control, Links: []scenarios.Link{
			{Common: scenarios.Common{Qdisc: tbf}, Options: &scenarios.VethOptions{}},
		}}
	}
	list := []scenarios.Scenario{
		{Name: "C", Control: scenarios.ControlMustNot}, {Name: "a"}, holds("b", scenarios.NotControl), {Name: "c"}, holds("D", scenarios.ControlMustHold),
	}
	order := ""
	for _, sc := range inOrder(list) {
		order += sc.Name
	}
	if order != "bDacC" {
		t.Errorf("order %s, want what may wait first and controls last", order)
	}
}

func TestDeadlineDoesNotOverflow(t *testing.T) {
	l := NewLocal()
	sc := scenarios.Scenario{Traffic: scenarios.Traffic{Count: scenarios.MaxCount, Rate: scenarios.MinRate}}
	if d := l.deadline(sc); d < time.Hour {
		t.Errorf("deadline %s", d)
	}
}

func TestHearRequests(t *testing.T) {
	for _, bad := range []string{"{\n", "[]\n", "not json\n"} {
		_, requests := readRequests(t.Context(), strings.NewReader(bad))
		if got := <-requests; got.err == nil {
			t.Errorf("%q was taken for a request", bad)
		}
	}
	ctx, requests := readRequests(t.Context(), strings.NewReader(`{"scenario":{"Name":"x"}}`+"\n"+`{"scenario":{"Name":"y"}}`+"\n"))
	for _, want := range []string{"x", "y"} {
		if got := <-requests; got.err != nil || got.request.Scenario.Name != want {
			t.Errorf("%+v, want %s", got, want)
		}
	}
	if _, more := <-requests; more {
		t.Error("a request that nobody made")
	}
	if <-ctx.Done(); ctx.Err() == nil {
		t.Error("the context outlives the lifeline")
	}
}
