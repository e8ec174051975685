// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"encoding/json"
	"fmt"

	"skleak/harness"
	"skleak/harness/experiment"
	"skleak/vm"
)

// guestOptions go from the host to the runner in its guest.
type guestOptions struct {
	Harness experiment.Options `json:"harness"`
	Jobs    int                `json:"jobs"`
}

// guestRunner is what runs scenarios inside a guest.
func guestRunner(options json.RawMessage) (vm.Runner, error) {
	var o guestOptions
	if err := json.Unmarshal(options, &o); err != nil {
		return nil, fmt.Errorf("read the options of the guest's runner: %w", err)
	}
	local := harness.NewLocal()
	local.Options, local.KeepLeftovers, local.Throwaway = o.Harness, true, true
	local.Cards, local.Jobs = true, max(o.Jobs, 1)
	// Counts of skbs are the whole guest's: they can be believed only where one
	// sandbox sends at a time.
	local.Quiet = local.Jobs == 1
	return local, nil
}
