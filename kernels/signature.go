// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"strings"
)

// signatureMark ends a signed module (include/linux/module_signature.h). In
// front of it are the signature and a struct module_signature, whose last four
// bytes are the signature's length.
const (
	signatureMark   = "~Module signature appended~\n"
	signatureStruct = 12
)

// withoutSignature gives a module as it was before it was signed; one that has
// no signature, or a mangled one, as it is.
func withoutSignature(module []byte) []byte {
	body, signed := bytes.CutSuffix(module, []byte(signatureMark))
	if !signed || len(body) < signatureStruct {
		return module
	}
	body, trailer := body[:len(body)-signatureStruct], body[len(body)-signatureStruct:]
	size := binary.BigEndian.Uint32(trailer[signatureStruct-4:])
	if uint64(size) > uint64(len(body)) {
		return module
	}
	return body[:len(body)-int(size)]
}

// WantsSignatures says whether the kernel refuses a module that is not signed
// (kernel/module/signing.c, module_sig_check). One whose config is not known
// may.
func (k *Kernel) WantsSignatures() (bool, error) {
	if k.Config == "" {
		return true, nil
	}
	data, err := os.ReadFile(k.Config)
	if err != nil {
		return true, fmt.Errorf("kernel %s: %w", k.Name, err)
	}
	for line := range strings.Lines(string(data)) {
		switch strings.TrimSpace(line) {
		case "CONFIG_MODULE_SIG_FORCE=y",
			"CONFIG_LOCK_DOWN_KERNEL_FORCE_INTEGRITY=y", "CONFIG_LOCK_DOWN_KERNEL_FORCE_CONFIDENTIALITY=y":
			return true, nil
		}
	}
	return false, nil
}

// ReadUnsigned is Read without the signature that may follow the ELF.
func (m Module) ReadUnsigned() ([]byte, error) {
	data, err := m.Read()
	return withoutSignature(data), err
}
