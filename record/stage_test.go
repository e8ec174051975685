// SPDX-License-Identifier: GPL-2.0-only

package record

import "testing"

func TestQueueingQdisc(t *testing.T) {
	q := func(kind, handle, parent string, backlog uint32) QdiscState {
		return QdiscState{Link: "v0", Kind: kind, Handle: handle, Parent: parent, Backlog: backlog}
	}
	tests := []struct {
		name string
		qs   []QdiscState
		want string
	}{
		{"none", nil, ""},
		{"a root alone", []QdiscState{q("tbf", "1:0", "root", 78)}, "tbf"},
		{"all in a child", []QdiscState{q("htb", "1:0", "root", 780), q("sfq", "2:0", "1:10", 780)}, "sfq"},
		{"an empty child", []QdiscState{q("htb", "1:0", "root", 780), q("sfq", "2:0", "1:10", 0)}, "htb"},
		{"some in the root itself", []QdiscState{q("htb", "1:0", "root", 780), q("sfq", "2:0", "1:10", 700)}, "htb"},
		{"a grandchild", []QdiscState{q("htb", "1:0", "root", 780), q("prio", "2:0", "1:10", 780), q("codel", "3:0", "2:1", 780)}, "codel"},
		{"children of one kind", []QdiscState{q("htb", "1:0", "root", 780), q("sfq", "2:0", "1:10", 700), q("sfq", "3:0", "1:11", 80)}, "sfq"},
		{"children of two kinds", []QdiscState{q("htb", "1:0", "root", 780), q("sfq", "2:0", "1:10", 700), q("fq", "3:0", "1:11", 80)}, "htb"},
		{"an empty mq", []QdiscState{q("mq", "none", "root", 0), q("fq_codel", "none", "0:1", 0)}, "fq_codel"},
		{"a full mq", []QdiscState{q("mq", "none", "root", 780), q("fq_codel", "none", "0:2", 0), q("fq_codel", "none", "0:1", 780)}, "fq_codel"},
		{"what comes in", []QdiscState{q("noqueue", "none", "root", 0), q("ingress", "ffff:0", "ingress", 0)}, "noqueue"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := QueueingQdisc(tt.qs); got.Kind != tt.want || ok != (tt.want != "") {
				t.Errorf("%q, %v, want %q", got.Kind, ok, tt.want)
			}
		})
	}
}

func TestVague(t *testing.T) {
	for holder, want := range map[string]bool{
		"": false, "driver of v0": false, "qdisc tbf on v0 and qdisc tbf on v1": false,
		NotKnown: true, "between IP output and v0": true, "after br0": true,
	} {
		if Vague(holder) != want {
			t.Errorf("%q is vague: %v", holder, !want)
		}
	}
}
