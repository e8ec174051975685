// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"testing"
)

func TestRedact(t *testing.T) {
	r := NewRedactor("server7.lab.example.org")
	for _, c := range []struct{ in, want string }{
		{"inet 10.9.9.1/24 and 10.9.9.2, 172.29.198.129", "inet 198.18.1.1/24 and 198.18.1.2, 198.18.2.129"},
		{"again 10.9.9.2", "again 198.18.1.2"},
		{"lladdr 52:54:00:12:34:56 52:54:00:12:34:57 52:54:00:12:34:56", "lladdr 02:00:5e:10:00:01 02:00:5e:10:00:02 02:00:5e:10:00:01"},
		{"2a02:8071:1::5/64 fe80::5054:ff:fe12:3456%v0", "2001:db8::1/64 fe80::5e10:0:2%v0"},
		{"on server7 and SERVER7.lab.example.org, not server77", "on host.example and host.example, not server77"},
		{"root=UUID=4e3c9a52-77a1-4c4b-9f6a-0123456789ab hostname=alpha", "root=UUID=00000000-0000-0000-0000-000000000001 hostname=host.example"},
		{" 37: 0109090A:0059 00000000:0000", " 37: 010112C6:0059 00000000:0000"},
		// An escape is no part of the word behind it.
		{`a\n10.9.9.1\t52:54:00:12:34:56\u00a010.9.9.2\x1b10.9.9.1`, `a\n198.18.1.1\t02:00:5e:10:00:01\u00a0198.18.1.2\x1b198.18.1.1`},
		{"&lt;10.9.9.1&gt;[10.9.9.2]:80 10.9.9.1:179", "&lt;198.18.1.1&gt;[198.18.1.2]:80 198.18.1.1:179"},
		// What names nobody stays.
		{"224.0.0.5 127.0.0.1 0.0.0.0 255.255.255.255 192.0.2.1 01:00:5e:00:00:05 ff:ff:ff:ff:ff:ff ::1 ff02::5", "224.0.0.5 127.0.0.1 0.0.0.0 255.255.255.255 192.0.2.1 01:00:5e:00:00:05 ff:ff:ff:ff:ff:ff ::1 ff02::5"},
		// Nor does what only looks like one.
		{"5.10.0.1-amd64 1.2.3.4.5 11:31:39 12:00 std::vector 6.1.0-49-amd64", "5.10.0.1-amd64 1.2.3.4.5 11:31:39 12:00 std::vector 6.1.0-49-amd64"},
	} {
		if got := r.Text(c.in); got != c.want {
			t.Errorf("%q:\n got %q\nwant %q", c.in, got, c.want)
		}
	}
	var none *Redactor
	if got := none.Text("10.9.9.1"); got != "10.9.9.1" {
		t.Errorf("nobody redacts: %q", got)
	}
	// A second time changes nothing.
	if once := r.Text("10.9.9.1 52:54:00:12:34:56 fe80::5054:ff:fe12:3456 2a02::1"); r.Text(once) != once {
		t.Errorf("again: %q, then %q", once, r.Text(once))
	}
}
