// SPDX-License-Identifier: GPL-2.0-only

package story

import (
	"os"
	"testing"

	"skleak/internal/testkit"
)

func TestMain(m *testing.M) { os.Exit(testkit.Main(m, testkit.Files(), testkit.NoChildren)) }
