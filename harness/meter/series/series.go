// SPDX-License-Identifier: GPL-2.0-only

// Package series keeps a reading over time in bounded memory, and thins it.
//
// It needs nothing but memory; `skleak run --save DIR hold/tbf` writes one per
// socket into the trace.
package series

import "skleak/record"

// DefaultPoints bounds a Series where no other bound is wanted.
const DefaultPoints = 512

// Series keeps the first and the last point of each bucket of readings, and its
// lowest and highest with their times. When it is full, neighbouring buckets
// are joined, so memory stays bounded while every extreme of the whole remains.
// It is not safe for use from several goroutines.
type Series struct {
	buckets []bucket
	// per is how many readings a bucket takes before the next is begun.
	per int
	max int
}

// bucket is a run of readings.
type bucket struct {
	first, low, high, last record.Point
	n                      int
}

// perBucket is the most points a bucket gives.
const perBucket = 4

// New returns a Series whose Points are never more than points, nor fewer than
// eight allowed: a bucket gives up to four, and two buckets are needed to join.
func New(points int) *Series {
	return &Series{per: 1, max: max(points, 2*perBucket) / perBucket}
}

// Add takes one reading. Times must not go backwards.
func (s *Series) Add(p record.Point) {
	if n := len(s.buckets); n > 0 && s.buckets[n-1].n < s.per {
		s.buckets[n-1].add(p)
		return
	}
	if len(s.buckets) >= s.max {
		s.join()
		s.Add(p)
		return
	}
	s.buckets = append(s.buckets, bucket{first: p, low: p, high: p, last: p, n: 1})
}

// join halves the number of buckets and doubles what each takes.
func (s *Series) join() {
	kept := s.buckets[:0]
	for i := 0; i < len(s.buckets); i += 2 {
		b := s.buckets[i]
		if i+1 < len(s.buckets) {
			b.absorb(s.buckets[i+1])
		}
		kept = append(kept, b)
	}
	s.buckets = kept
	s.per *= 2
}

func (b *bucket) add(p record.Point) { b.absorb(bucket{p, p, p, p, 1}) }

func (b *bucket) absorb(c bucket) {
	if c.low.Bytes < b.low.Bytes {
		b.low = c.low
	}
	if c.high.Bytes > b.high.Bytes {
		b.high = c.high
	}
	b.last = c.last
	b.n += c.n
}

// Points returns what is kept, in order of time, without repetitions.
func (s *Series) Points() []record.Point {
	var out []record.Point
	for _, b := range s.buckets {
		mid := [2]record.Point{b.low, b.high}
		if mid[1].AtNs < mid[0].AtNs {
			mid[0], mid[1] = mid[1], mid[0]
		}
		for _, p := range [perBucket]record.Point{b.first, mid[0], mid[1], b.last} {
			if n := len(out); n == 0 || out[n-1] != p {
				out = append(out, p)
			}
		}
	}
	return out
}

// Spark thins points to at most n values spread evenly over their time: the
// highest in each stretch, and where a stretch has none the value before it.
func Spark(points []record.Point, n int) []int64 {
	if len(points) == 0 || n <= 0 {
		return nil
	}
	begin, end := points[0].AtNs, points[len(points)-1].AtNs
	width := (float64(end) - float64(begin)) / float64(n)
	out := make([]int64, 0, n)
	next, last := 0, points[0].Bytes
	for i := range n {
		until := float64(begin) + float64(i+1)*width
		high, seen := last, false
		for ; next < len(points) && (i == n-1 || float64(points[next].AtNs) < until); next++ {
			last = points[next].Bytes
			if !seen || last > high {
				high, seen = last, true
			}
		}
		out = append(out, high)
	}
	return out
}
