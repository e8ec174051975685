// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"github.com/coreos/go-iptables/iptables"

	"skleak/scenarios"
)

// iptablesRules are rules that the iptables command added, the last resort.
type iptablesRules struct {
	s       *space
	command *iptables.IPTables
	rules   []scenarios.Filter
}

// addIptables adds the rules to the mangle table, the one that has all hooks.
func addIptables(s *space, fs []scenarios.Filter) (ruleset, error) {
	r := &iptablesRules{s: s}
	err := r.do(func() error {
		var err error
		if r.command, err = legacyIptables(); err != nil {
			return err
		}
		for _, f := range fs {
			if err := r.command.Append("mangle", strings.ToUpper(f.Hook), iptablesRule(f)...); err != nil {
				return fmt.Errorf("append to %s: %w", f.Hook, err)
			}
			r.rules = append(r.rules, f)
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, r.flush())
	}
	return r, nil
}

// do runs f inside the namespace with a /run of its own, where iptables makes
// its lock file: so it leaves none behind, and may make it as any user.
func (r *iptablesRules) do(f func() error) error {
	return r.s.do(func() error {
		if err := ownMounts(); err != nil {
			return err
		}
		if err := mountOver("tmpfs", "/run"); err != nil {
			return err
		}
		return f()
	})
}

// legacyIptables prefers the command that does not go through nf_tables, which
// was tried before.
func legacyIptables() (*iptables.IPTables, error) {
	path, err := exec.LookPath("iptables-legacy")
	if err != nil {
		path = "iptables"
	}
	return iptables.New(iptables.Path(path), iptables.Timeout(5))
}

func iptablesRule(f scenarios.Filter) []string {
	var rule []string
	switch {
	case f.Link != "" && entering(f):
		rule = append(rule, "-i", f.Link)
	case f.Link != "":
		rule = append(rule, "-o", f.Link)
	}
	if f.Action == actionNfqueue {
		return append(rule, "-j", "NFQUEUE", "--queue-num", strconv.Itoa(f.Queue))
	}
	return append(rule, "-j", "DROP")
}

func (r *iptablesRules) flush() error {
	return r.do(func() error {
		var errs error
		for _, f := range r.rules {
			if err := r.command.DeleteIfExists("mangle", strings.ToUpper(f.Hook), iptablesRule(f)...); err != nil {
				errs = errors.Join(errs, fmt.Errorf("delete from %s: %w", f.Hook, err))
			}
		}
		r.rules = nil
		return errs
	})
}
