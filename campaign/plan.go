// SPDX-License-Identifier: GPL-2.0-only

package campaign

import (
	"fmt"

	"skleak/record"
)

// Plan is the jobs of a matrix for a CI engine: GitHub reads include as it is.
type Plan struct {
	Include []PlanJob `json:"include"`
}

// PlanJob is one job.
type PlanJob struct {
	// Shard is what `skleak matrix --shard` takes.
	Shard string `json:"shard"`
	// Kernels are those the job touches; Matrix is what --kernels takes, the
	// same for all jobs.
	Kernels   []string `json:"kernels"`
	Matrix    string   `json:"matrix"`
	Scenarios int      `json:"scenarios"`
}

// PlanOf parts the whole into so many jobs.
func PlanOf(whole record.Shard, shards int) Plan {
	whole.Of = shards
	matrix := ""
	for i, name := range whole.Kernels {
		if i > 0 {
			matrix += ","
		}
		matrix += name
	}
	p := Plan{Include: []PlanJob{}}
	for i := 1; i <= shards; i++ {
		whole.Index = i
		job := PlanJob{Shard: fmt.Sprintf("%d/%d", i, shards), Matrix: matrix, Kernels: []string{}}
		for k, name := range whole.Kernels {
			n := 0
			for sc := range whole.Scenarios {
				if whole.Owns(k, sc) {
					n++
				}
			}
			if n > 0 {
				job.Kernels = append(job.Kernels, name)
				job.Scenarios += n
			}
		}
		p.Include = append(p.Include, job)
	}
	return p
}
