// SPDX-License-Identifier: GPL-2.0-only

package record

// Shard says which part of a matrix a report holds. The whole is every
// scenario on every kernel, numbered kernel by kernel; shard i of n holds an
// even, unbroken share of those numbers.
type Shard struct {
	// Index counts from 1 to Of.
	Index int `json:"index"`
	Of    int `json:"of"`
	// Kernels are the names of all kernels of the matrix, Scenarios those of all
	// scenarios, in the order of the whole report.
	Kernels   []string `json:"kernels"`
	Scenarios []string `json:"scenarios"`
}

// Owns reports whether the shard holds scenario number sc on kernel number
// k, both counted from 0.
func (s Shard) Owns(k, sc int) bool { return s.Owner(k, sc) == s.Index }

// Owner is the index of the shard that holds scenario number sc on kernel
// number k.
func (s Shard) Owner(k, sc int) int {
	total := len(s.Kernels) * len(s.Scenarios)
	cell := k*len(s.Scenarios) + sc
	// The first i, counted from 0, with cell < (i+1)*total/n rounded down.
	return ((cell+1)*s.Of-1)/total + 1
}
