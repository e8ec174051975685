// SPDX-License-Identifier: GPL-2.0-only

package record

import (
	"slices"
	"testing"
)

func TestConfigLines(t *testing.T) {
	config := []byte("#\n# Automatically generated\nCONFIG_SMP=y\nCONFIG_SMP_EXTRA=y\n# CONFIG_VETH is not set\nCONFIG_HZ=250\nCONFIG_TUN=m")
	got := ConfigLines(config, []string{"CONFIG_VETH", "CONFIG_SMP", "CONFIG_TUN", "CONFIG_NONE"})
	want := []string{"CONFIG_SMP=y", "# CONFIG_VETH is not set", "CONFIG_TUN=m"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
