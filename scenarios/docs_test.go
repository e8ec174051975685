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

const guide = "docs/scenarios.md, links.md and traffic.md"

// guides returns the text of the three.
func guides(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, name := range []string{"scenarios", "links", "traffic"} {
		text, err := os.ReadFile("../docs/" + name + ".md")
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

func TestExamplesOfTheGuideDecode(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(guides(t), -1)
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
	prose := regexp.MustCompile("(?s)```.*?```").ReplaceAllString(guides(t), "")
	words := regexp.MustCompile(`[a-z0-9_-]+`).FindAllString(strings.Join(regexp.MustCompile("`[^`]+`").FindAllString(prose, -1), " "), -1)
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
			t.Errorf("%s do not tell of %q", guide, w)
		}
	}
}
