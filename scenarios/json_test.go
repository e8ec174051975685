// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What one process hands to another comes out as it went in, zeros that are set
// and those that are not among them.
func TestJSON(t *testing.T) {
	list, err := Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	odd := list[0]
	odd.Name, odd.Patience, odd.Traffic.Size, odd.Traffic.Payload = "odd/zeros", new(time.Duration), new(int), []byte{0, 255}
	odd.Links = []Link{{Common: Common{Name: "d0", TxQueueLen: new(int), Qdisc: &Qdisc{Options: &HtbOptions{Rate: 1, Leaf: &Qdisc{Options: &PfifoOptions{}}}}}, Options: &DummyOptions{}}}
	for _, want := range append(list, odd) {
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatalf("%s: %v", want.Name, err)
		}
		var got Scenario
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatalf("%s: %v", want.Name, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", want.Name, d)
		}
	}
}

func TestJSONUnknownKind(t *testing.T) {
	var l Link
	if err := json.Unmarshal([]byte(`{"kind":"carrier-pigeon","options":{}}`), &l); err == nil {
		t.Error("a kind of link nobody knows was taken")
	}
	var q Qdisc
	if err := json.Unmarshal([]byte(`{"kind":"post-office","options":{}}`), &q); err == nil {
		t.Error("a kind of qdisc nobody knows was taken")
	}
}
