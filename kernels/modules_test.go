// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadModinfo(t *testing.T) {
	got, err := readModinfo(bytes.NewReader(fakeModule(t,
		"license=GPL", "softdep=pre: crc32c post: a-b c", "alias=pci:v00008086d*", "alias=rtnl-link-x",
		"depends=libcrc32c,nf-conntrack", "name=nf_tables", "vermagic=6.1.0-56-amd64 SMP preempt mod_unload",
	)))
	if err != nil {
		t.Fatal(err)
	}
	want := modinfo{
		Name: "nf_tables", Release: "6.1.0-56-amd64", Depends: []string{"libcrc32c", "nf_conntrack"},
		SoftPre: []string{"crc32c"}, SoftPost: []string{"a_b", "c"}, Aliases: []string{"pci:v00008086d*", "rtnl-link-x"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for name, content := range map[string][]byte{"no section": fakeELF(t, nil, nil), "text": []byte("no module"), "nothing": nil} {
		if _, err := readModinfo(bytes.NewReader(content)); err == nil || !strings.Contains(err.Error(), "not a module") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzReadModinfo(f *testing.F) {
	f.Add(fakeModule(f, "name=a", "depends=b,c", "softdep=pre: d post: e", "alias=x"))
	f.Add([]byte("\x7fELF"))
	f.Fuzz(func(t *testing.T, content []byte) {
		info, err := readModinfo(bytes.NewReader(content))
		if err == nil && strings.Contains(info.Name+strings.Join(info.Depends, ""), "-") {
			t.Fatalf("a name with a dash: %+v", info)
		}
	})
}

func FuzzModinfoText(f *testing.F) {
	f.Add([]byte("name=a\x00depends=b-c,\x00softdep=pre: x\x00virtio_net.alias=virtio:d1\x00"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		parseModinfo(data)
		parseBuiltinModinfo(data)
		parseBuiltin(data)
	})
}

// someModules is 6.1's shape around nf_tables, and some odd ones.
func someModules() *Modules {
	return &Modules{
		All: []Module{
			{Name: "nf_tables", Depends: []string{"libcrc32c", "nfnetlink"}},
			{Name: "libcrc32c", SoftPre: []string{"crc32c"}},
			{Name: "nfnetlink"},
			{Name: "crc32c_generic", Aliases: []string{"crc32c", "crypto_crc32c"}},
			{Name: "crc32c_intel", Aliases: []string{"crc32c", "crypto_crc32c"}},
			{Name: "vxlan", Depends: []string{"udp_tunnel", "virtio"}, Aliases: []string{"rtnl_link_vxlan"}},
			{Name: "udp_tunnel"},
			{Name: "loop_a", Depends: []string{"loop_b"}},
			{Name: "loop_b", Depends: []string{"loop_a"}},
			{Name: "soft_a", SoftPre: []string{"soft_b", "not_there"}, SoftPost: []string{"nfnetlink"}},
			{Name: "soft_b", Depends: []string{"soft_a"}},
			{Name: "torn", Depends: []string{"lost"}},
		},
		Builtin:        []string{"virtio", "8021q"},
		BuiltinAliases: map[string]string{"rtnl_link_vlan": "8021q"},
	}
}

func TestLoadOrder(t *testing.T) {
	for _, c := range []struct {
		ask  string
		want string
	}{
		{"nf_tables", "crc32c_generic? crc32c_intel? libcrc32c nfnetlink nf_tables"},
		{"nf-tables nfnetlink", "crc32c_generic? crc32c_intel? libcrc32c nfnetlink nf_tables"},
		{"nf_tables crc32c_generic", "crc32c_generic crc32c_intel? libcrc32c nfnetlink nf_tables"},
		{"rtnl-link-vxlan", "udp_tunnel vxlan"},
		{"rtnl-link-vlan 8021q virtio", ""},
		{"crypto-crc32c", "crc32c_generic? crc32c_intel?"},
		{"soft_a", "soft_a nfnetlink?"},
		{"", ""},
	} {
		k := &Kernel{Name: "debian:6.1.192/amd64", modules: someModules()}
		order, err := k.LoadOrder(strings.Fields(c.ask)...)
		if err != nil {
			t.Errorf("%s: %v", c.ask, err)
			continue
		}
		var got []string
		for _, m := range order {
			if m.Soft {
				m.Name += "?"
			}
			got = append(got, m.Name)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: %s, want %s", c.ask, s, c.want)
		}
	}
}

func TestLoadOrderErrors(t *testing.T) {
	k := &Kernel{Name: "debian:6.1.192/cloud", Config: "/store/config", modules: someModules()}
	_, err := k.LoadOrder("e100")
	var unknown *UnknownModuleError
	if !errors.As(err, &unknown) || unknown.Module != "e100" || !strings.Contains(err.Error(), "config option") {
		t.Errorf("e100: %v", err)
	}
	_, err = k.LoadOrder("torn")
	if !errors.As(err, &unknown) || unknown.Module != "lost" || unknown.NeededBy != "torn" {
		t.Errorf("torn: %v", err)
	}
	if _, err = k.LoadOrder("loop_a"); !errors.Is(err, ErrModuleLoop) {
		t.Errorf("loop_a: %v", err)
	}
}
