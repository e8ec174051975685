package harness

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"skleak/record"
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
	list := []scenarios.Scenario{
		{Name: "C", Expect: []record.Verdict{record.Clean}, Control: scenarios.ControlMustNot},
		{Name: "a", Expect: []record.Verdict{record.Clean}},
		{Name: "b", Expect: []record.Verdict{record.Stalled}},
		{Name: "c", Expect: []record.Verdict{record.Clean, record.Refused}},
		{Name: "d", Expect: []record.Verdict{record.Held}},
	}
	for quiet, want := range map[bool]string{false: "bdacC", true: "acCbd"} {
		var order strings.Builder
		for _, sc := range (Local{Options: Options{Quiet: quiet}}).inOrder(list) {
			order.WriteString(sc.Name)
		}
		if order.String() != want {
			t.Errorf("quiet %v: order %s, want %s", quiet, order.String(), want)
		}
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
		_, requests := hear(t.Context(), strings.NewReader(bad))
		if got := <-requests; got.err == nil {
			t.Errorf("%q was taken for a request", bad)
		}
	}
	ctx, requests := hear(t.Context(), strings.NewReader(`{"scenario":{"Name":"x"}}`+"\n"+`{"scenario":{"Name":"y"}}`+"\n"))
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

func TestLadderDrift(t *testing.T) {
	began := time.Now()
	l := &ladder{selfRelease: 3 * time.Second, filled: began}
	if d := l.drift(1000, began, 200*time.Millisecond); d != 0 {
		t.Errorf("early rung: drift %d, want 0", d)
	}
	if d := l.drift(1000, began.Add(2600*time.Millisecond), 200*time.Millisecond); d != 1000 {
		t.Errorf("rung at the moment time lets go: drift %d, want all", d)
	}
	slow := &ladder{rate: 1e-6} // 1000 bytes a second
	if d := slow.drift(1000, began, 100*time.Millisecond); d != 100 {
		t.Errorf("slow drain: drift %d, want 100", d)
	}
}

func TestFills(t *testing.T) {
	var f fills
	first := f.start()
	if first(0) {
		t.Error("disturbed by nobody")
	}
	f.refill()
	if !first(0) || first(1) {
		t.Error("a refill disturbs others, and only others")
	}
	during := f.start()
	if !first(1) {
		t.Error("one that begins disturbs what goes on")
	}
	f.end(1)
	if !during(0) || f.start()(0) {
		t.Error("a refill under way disturbs; one that is over does not")
	}
}
