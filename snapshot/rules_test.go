// SPDX-License-Identifier: GPL-2.0-only

package snapshot

import (
	"testing"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"skleak/record/kerneltest"
)

// addRules makes a chain that drops pings, then all of v0, lets UDP go, and drops
// the rest.
func addRules(t *testing.T) (flush func()) {
	t.Helper()
	conn, err := nftables.New()
	if err != nil {
		t.Fatal(err)
	}
	table := conn.AddTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: "test"})
	chain := conn.AddChain(&nftables.Chain{
		Name: "out", Table: table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookOutput, Priority: nftables.ChainPriorityFilter,
	})
	protocol := func(number byte) []expr.Any {
		return []expr.Any{&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{number}}}
	}
	name := make([]byte, unix.IFNAMSIZ)
	copy(name, "v0")
	for _, exprs := range [][]expr.Any{
		append(protocol(unix.IPPROTO_ICMP), &expr.Verdict{Kind: expr.VerdictDrop}),
		{&expr.Meta{Key: expr.MetaKeyOIFNAME, Register: 1}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: name}, &expr.Counter{}, &expr.Verdict{Kind: expr.VerdictDrop}},
		append(protocol(unix.IPPROTO_UDP), &expr.Verdict{Kind: expr.VerdictAccept}),
		{&expr.Verdict{Kind: expr.VerdictDrop}},
	} {
		conn.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: exprs})
	}
	if err := conn.Flush(); err != nil {
		kerneltest.SkipOrFail(t, kerneltest.Feature{Since: "5.10", Options: []string{"NF_TABLES", "NF_TABLES_IPV4"}}, err)
	}
	return func() {
		conn.DelTable(table)
		if err := conn.Flush(); err != nil {
			t.Error(err)
		}
	}
}
