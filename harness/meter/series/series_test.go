// SPDX-License-Identifier: GPL-2.0-only

package series

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/quick"

	"skleak/record"
)

func check(t *testing.T, points int, in []record.Point) {
	t.Helper()
	s := New(points)
	for _, p := range in {
		s.Add(p)
	}
	out := s.Points()
	if len(out) > max(points, 8) {
		t.Fatalf("%d points kept, at most %d allowed", len(out), points)
	}
	if len(in) == 0 {
		if len(out) != 0 {
			t.Fatalf("%v out of nothing", out)
		}
		return
	}
	if !slices.IsSortedFunc(out, func(a, b record.Point) int { return int(a.AtNs - b.AtNs) }) {
		t.Fatal("times go backwards")
	}
	for _, p := range out {
		if !slices.Contains(in, p) {
			t.Fatalf("%v was never added", p)
		}
	}
	byBytes := func(a, b record.Point) int { return int(a.Bytes - b.Bytes) }
	low, high := slices.MinFunc(in, byBytes), slices.MaxFunc(in, byBytes)
	for what, want := range map[string]record.Point{"first": in[0], "last": in[len(in)-1], "lowest": low, "highest": high} {
		if !slices.Contains(out, want) {
			t.Fatalf("the %s, %v, was lost", what, want)
		}
	}
}

func TestSeriesKeepsExtremes(t *testing.T) {
	property := func(seed uint64, n uint16, points uint8) bool {
		r := rand.New(rand.NewPCG(seed, 0))
		in := make([]record.Point, n)
		for i := range in {
			in[i] = record.Point{AtNs: int64(i) * 200_000, Bytes: r.Int64N(1 << 18)}
		}
		check(t, int(points), in)
		return true
	}
	if err := quick.Check(property, &quick.Config{MaxCount: 20}); err != nil {
		t.Error(err)
	}
}

// One spike of one packet among a hundred thousand readings stays.
func TestSeriesKeepsSpike(t *testing.T) {
	in := make([]record.Point, 100_000)
	for i := range in {
		in[i].AtNs = int64(i)
	}
	in[73_211].Bytes = 832
	check(t, DefaultPoints, in)
}

func TestSeriesKeepsFewWhole(t *testing.T) {
	s := New(DefaultPoints)
	var in []record.Point
	for i := range int64(100) {
		in = append(in, record.Point{AtNs: i, Bytes: i * 832})
		s.Add(in[i])
	}
	if out := s.Points(); !slices.Equal(out, in) {
		t.Errorf("%d of %d points kept", len(out), len(in))
	}
}

func TestSpark(t *testing.T) {
	point := func(at, bytes int64) record.Point { return record.Point{AtNs: at, Bytes: bytes} }
	tests := []struct {
		name   string
		points []record.Point
		n      int
		want   []int64
	}{
		{"nothing", nil, 4, nil},
		{"no room", []record.Point{point(0, 1)}, 0, nil},
		{"one point", []record.Point{point(5, 832)}, 3, []int64{832, 832, 832}},
		{"highest of each stretch", []record.Point{point(0, 0), point(1, 9), point(2, 3), point(10, 4)}, 2, []int64{9, 4}},
		{"a gap repeats what was before it", []record.Point{point(0, 7), point(1, 5), point(100, 0)}, 4, []int64{7, 5, 5, 0}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Spark(test.points, test.n); !slices.Equal(got, test.want) {
				t.Errorf("Spark = %v, want %v", got, test.want)
			}
		})
	}
}
