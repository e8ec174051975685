// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"

	"github.com/coreos/go-iptables/iptables"
	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"skleak/record"
	"skleak/scenarios"
)

const (
	filterTable   = "skleak"
	actionDrop    = "drop"
	actionNfqueue = "nfqueue"
)

// ruleset is a set of rules in a kernel.
type ruleset interface {
	// flush takes all of it away.
	flush() error
}

// filters are the netfilter rules of one namespace with the listeners of their
// queues. They see IPv4 packets only, so that the kernel's own IPv6 ones never
// stand in a queue that is measured, and none of what a packet socket sends,
// which passes no hook.
type filters struct {
	listed []*queue

	mu sync.Mutex
	// rules is nil when they are gone.
	rules ruleset
}

// addFilters starts the listeners of fs and then adds the rules, all of them
// inside s whatever namespace they name. With no listener bound to its queue a
// packet is dropped by the kernel.
func addFilters(ctx context.Context, s *space, fs []scenarios.Filter) (*filters, error) {
	for i, f := range fs {
		if err := checkFilter(f); err != nil {
			return nil, fmt.Errorf("filter %d: %w", i+1, err)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("add filters: %w", err)
	}
	listed, err := openQueues(s, fs)
	if err != nil {
		return nil, err
	}
	made := &filters{listed: listed}
	if made.rules, _, err = addRules(s, fs, ruleWays()); err != nil {
		return nil, errors.Join(err, made.Close())
	}
	return made, nil
}

func checkFilter(f scenarios.Filter) error {
	if !slices.Contains(filterHooks(), f.Hook) {
		return fmt.Errorf("hook %q is not one of %s", f.Hook, strings.Join(filterHooks(), ", "))
	}
	if len(f.Link) >= unix.IFNAMSIZ {
		return fmt.Errorf("link %q has more than %d characters", f.Link, unix.IFNAMSIZ-1)
	}
	switch f.Action {
	case actionDrop:
	case actionNfqueue:
		if f.Queue < 0 || f.Queue > 65535 {
			return fmt.Errorf("queue %d is not in 0 to 65535", f.Queue)
		}
	default:
		return fmt.Errorf("action %q is neither %s nor %s", f.Action, actionDrop, actionNfqueue)
	}
	return nil
}

func filterHooks() []string {
	return []string{"prerouting", "input", "forward", "output", "postrouting"}
}

// queues lists the queues the rules name, by number, with or without listener.
func (f *filters) queues() []*queue { return f.listed }

// flush takes all rules away. Taking away a hook makes the kernel drop what
// its queues hold (nf_queue_nf_hook_drop in net/netfilter/core.c); where only
// iptables could add the rules the hooks stay, and so does what is queued.
func (f *filters) flush() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rules == nil {
		return nil
	}
	if err := f.rules.flush(); err != nil {
		return fmt.Errorf("flush filters: %w", err)
	}
	f.rules = nil
	return nil
}

// Close empties the queues, flushes the rules and ends the listeners, in this
// order: no packet may outlive its hook. Idempotent.
func (f *filters) Close() error {
	var errs error
	for _, q := range f.listed {
		errs = errors.Join(errs, q.empty())
	}
	errs = errors.Join(errs, f.flush())
	for _, q := range f.listed {
		errs = errors.Join(errs, q.close())
	}
	return errs
}

// ruleWay is one way to tell the kernel of rules.
type ruleWay struct {
	name string
	// needs says what the kernel must have.
	needs string
	add   func(*space, []scenarios.Filter) (ruleset, error)
}

// ruleWays lists the ways in the order they are tried.
func ruleWays() []ruleWay {
	return []ruleWay{
		{"nft queue", "CONFIG_NFT_QUEUE", func(s *space, fs []scenarios.Filter) (ruleset, error) {
			return addNftRules(s, fs, nftQueue)
		}},
		{"xt NFQUEUE through nft_compat", "CONFIG_NETFILTER_XT_TARGET_NFQUEUE with CONFIG_NFT_COMPAT",
			func(s *space, fs []scenarios.Filter) (ruleset, error) { return addNftRules(s, fs, xtQueue) }},
		{"iptables-legacy", "CONFIG_IP_NF_IPTABLES_LEGACY and the iptables command", addIptables},
	}
}

// addRules adds the rules the first way that works and says which that was.
// The kernel takes a batch whole or not at all, so a way that failed leaves
// nothing.
func addRules(s *space, fs []scenarios.Filter, ways []ruleWay) (rules ruleset, way string, err error) {
	var said, needs []string
	for _, way := range ways {
		rules, err = way.add(s, fs)
		if err == nil {
			return rules, way.name, nil
		}
		if !lacking(err) {
			return nil, "", fmt.Errorf("add filters by %s: %w", way.name, err)
		}
		said = append(said, fmt.Sprintf("%s: %v", way.name, err))
		needs = append(needs, way.needs)
	}
	return nil, "", &record.UnsupportedError{
		Feature: "adding netfilter rules",
		Hint:    strings.Join(needs, ", or "),
		Err:     &saidError{text: strings.Join(strings.Fields(strings.Join(said, "; ")), " "), err: err},
	}
}

// lacking reports whether an error says that the kernel or the machine has no
// such thing: nfnetlink answers EOPNOTSUPP to a batch for a subsystem it lacks,
// nf_tables ENOENT for an expression or target.
func lacking(err error) bool {
	var command *iptables.Error
	if errors.As(err, &command) {
		// 4 is a resource problem, the lock or a permission (iptables(8)).
		return command.ExitStatus() != 4
	}
	for _, e := range []error{unix.ENOENT, unix.EOPNOTSUPP, unix.EPROTONOSUPPORT, unix.EAFNOSUPPORT, exec.ErrNotFound} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// saidError carries what several tries said in one line.
type saidError struct {
	text string
	err  error
}

func (e *saidError) Error() string { return e.text }
func (e *saidError) Unwrap() error { return e.err }

// nftRules is one table of nf_tables.
type nftRules struct {
	conn  *nftables.Conn
	table *nftables.Table
}

func (r *nftRules) flush() error {
	r.conn.DelTable(r.table)
	if err := r.conn.Flush(); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("delete table %s: %w", r.table.Name, err)
	}
	return nil
}

// addNftRules makes a table with a base chain for each hook used.
func addNftRules(s *space, fs []scenarios.Filter, toQueue func(uint16) expr.Any) (ruleset, error) {
	conn, err := nftables.New(nftables.WithNetNSFd(int(s.handle)))
	if err != nil {
		return nil, fmt.Errorf("open nf_tables: %w", err)
	}
	table := conn.AddTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: filterTable})
	chains := map[string]*nftables.Chain{}
	for _, f := range fs {
		if chains[f.Hook] == nil {
			chains[f.Hook] = conn.AddChain(&nftables.Chain{
				Name: f.Hook, Table: table, Type: nftables.ChainTypeFilter,
				Hooknum: nftHook(f.Hook), Priority: nftables.ChainPriorityFilter,
			})
		}
		action := expr.Any(&expr.Verdict{Kind: expr.VerdictDrop})
		if f.Action == actionNfqueue {
			action = toQueue(uint16(f.Queue))
		}
		conn.AddRule(&nftables.Rule{Table: table, Chain: chains[f.Hook], Exprs: append(nftLink(f), action)})
	}
	if err := conn.Flush(); err != nil {
		return nil, err
	}
	return &nftRules{conn: conn, table: table}, nil
}

func nftHook(name string) *nftables.ChainHook {
	switch name {
	case "prerouting":
		return nftables.ChainHookPrerouting
	case "input":
		return nftables.ChainHookInput
	case "forward":
		return nftables.ChainHookForward
	case "output":
		return nftables.ChainHookOutput
	default:
		return nftables.ChainHookPostrouting
	}
}

// entering says that a filter's link is the one packets come in by.
func entering(f scenarios.Filter) bool { return f.Hook == "prerouting" || f.Hook == "input" }

func nftLink(f scenarios.Filter) []expr.Any {
	if f.Link == "" {
		return nil
	}
	key := expr.MetaKeyOIFNAME
	if entering(f) {
		key = expr.MetaKeyIIFNAME
	}
	name := make([]byte, unix.IFNAMSIZ)
	copy(name, f.Link)
	return []expr.Any{
		&expr.Meta{Key: key, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: name},
	}
}
