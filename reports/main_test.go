// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"os"
	"testing"

	"skleak/internal/testkit"
)

func TestMain(m *testing.M) { os.Exit(testkit.Main(m)) }
