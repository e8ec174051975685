// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// DummyOptions are the options of a dummy.
type DummyOptions struct{}

func dummyKind() linkKind {
	return linkKind{
		Kind:    Kind{"dummy", "link that drops all it is given", "CONFIG_DUMMY", "dummy"},
		options: func() LinkOptions { return &DummyOptions{} },
	}
}

// Kind implements LinkOptions.
func (*DummyOptions) Kind() string { return "dummy" }

// Lower implements LinkOptions.
func (*DummyOptions) Lower() []string { return nil }

// Check implements LinkOptions.
func (*DummyOptions) Check() error { return nil }

func (*DummyOptions) fields() []field { return nil }
