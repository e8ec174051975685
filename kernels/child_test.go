// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"context"
	"fmt"
	"os"
	"time"
)

// fetchChild is this test binary fetching a kernel, to be killed.
func fetchChild(name Name) int {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	s, err := Open("", Limits{})
	if err == nil {
		_, err = s.Fetch(ctx, name, nil)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
