// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// MacsecOptions are the options of a macsec.
type MacsecOptions struct {
	Parent string
	// Keyless leaves it without a key to send with, as it is until the daemon
	// has agreed on one.
	Keyless bool
}

// Macsec is the record of the kind.
func (linkTable) Macsec() linkKind {
	return linkKind{
		Kind: Kind{
			Name: "macsec", About: "encrypted Ethernet on a parent", Config: []string{"CONFIG_MACSEC"}, Modules: []string{"macsec"},
			On: OnParent, Carrier: CarrierOfParent, Uses: []Need{macsecCipher()},
		},
		options: func() LinkOptions { return &MacsecOptions{} },
	}
}

// macsecCipher is put together of several modules when a key is given
// (drivers/net/macsec.c, macsec_alloc_tfm). crypto-... are the aliases by which
// crypto/api.c asks for them.
func macsecCipher() Need {
	return Need{
		Feature: "the cipher of macsec", Config: []string{"CONFIG_CRYPTO_GCM", "CONFIG_CRYPTO_AES"}, Modules: []string{"gcm"}, Cipher: "gcm(aes)",
		Loads: []string{"crypto-gcm(aes)", "crypto-gcm", "crypto-ctr", "crypto-ghash", "crypto-aes"},
	}
}

func (o *MacsecOptions) needs() []Need {
	if o.Keyless {
		return nil
	}
	return []Need{macsecCipher()}
}

// Kind implements LinkOptions.
func (*MacsecOptions) Kind() string { return "macsec" }

// Lower implements LinkOptions.
func (o *MacsecOptions) Lower() []string { return named(o.Parent) }

// Check implements LinkOptions.
func (o *MacsecOptions) Check() error { return needParent("macsec", o.Parent) }

func (o *MacsecOptions) fields() []field {
	return []field{{"parent", text(&o.Parent)}, {"keyless", truth(&o.Keyless)}}
}
