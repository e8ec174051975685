// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const guide = "../docs/scenarios.md"

func TestExamplesOfTheGuideDecode(t *testing.T) {
	text, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) != 4 {
		t.Errorf("%d examples", len(blocks))
	}
	for i, b := range blocks {
		if _, err := Decode(fmt.Sprintf("example-%d", i+1), strings.NewReader(b[1])); err != nil {
			t.Error(err)
		}
	}
}

// TestGuideNamesEveryKey fails when a key, kind or name is not in the guide.
func TestGuideNamesEveryKey(t *testing.T) {
	text, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	words := regexp.MustCompile(`[a-z0-9_-]+`).FindAllString(strings.Join(regexp.MustCompile("`[^`]+`").FindAllString(string(text), -1), " "), -1)
	want := append(Packets(), Sockets()...)
	for _, list := range [][]field{
		(&Scenario{}).fields(), (&Common{}).fields(), (&Traffic{}).fields(), (&Filter{}).fields(),
		(&Listener{}).fields(), (&Reader{}).fields(), (&Route{}).fields(), (&Namespace{}).fields(), (&Neighbour{}).fields(),
	} {
		want = append(want, keys(list)...)
	}
	for _, k := range linkKinds() {
		want = append(append(want, k.Name), keys(k.options().fields())...)
	}
	for _, k := range qdiscKinds() {
		want = append(append(want, k.Name), keys(k.options().fields())...)
	}
	for _, w := range want {
		if !slices.Contains(words, w) {
			t.Errorf("%s does not tell of %q", guide, w)
		}
	}
}
