// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"skleak/record"
)

func TestFeatures(t *testing.T) {
	needRoot(t)
	var features []Feature
	if left := openedBy(t, func() { features = Features() }); left != 0 {
		t.Errorf("%d descriptors left", left)
	}
	if want := len(probes()) + 1; len(features) != want {
		t.Errorf("%d answers, want %d", len(features), want)
	}
	for _, f := range features {
		t.Logf("%-22s %-14s %s (%s)", f.Name, f.State, f.Detail, f.Hint)
		if f.State == FeatureUnknown {
			t.Errorf("%s: root could not tell: %s", f.Name, f.Detail)
		}
		if (f.State == FeatureMissing) != (f.Hint != "") {
			t.Errorf("%s is %s with hint %q", f.Name, f.State, f.Hint)
		}
	}
}

func TestJudgeProbe(t *testing.T) {
	for _, c := range []struct {
		err   error
		state FeatureState
		hint  string
	}{
		{nil, FeatureThere, ""},
		{fmt.Errorf("try: %w", &record.UnsupportedError{Feature: "x", Hint: "CONFIG_X", Err: unix.EOPNOTSUPP}), FeatureMissing, "CONFIG_X"},
		{&record.UnsupportedError{Feature: "x", Hint: "chmod", Err: unix.EACCES}, FeatureUnknown, "chmod"},
		{fmt.Errorf("try: %w", unix.EPERM), FeatureUnknown, "run as root"},
		{errors.New("out of luck"), FeatureUnknown, ""},
	} {
		if got := judgeProbe("x", "", c.err); got.State != c.state || got.Hint != c.hint {
			t.Errorf("%v: %+v, want %s with hint %q", c.err, got, c.state, c.hint)
		}
	}
}

// Each flag is one bit, named once.
func TestTunFlagNames(t *testing.T) {
	seen := uint32(0)
	for _, f := range tunFlagNames() {
		if f.bit == 0 || f.bit&(f.bit-1) != 0 || seen&f.bit != 0 || f.name == "" {
			t.Errorf("flag %q is %#x", f.name, f.bit)
		}
		seen |= f.bit
	}
}
