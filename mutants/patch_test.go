// SPDX-License-Identifier: GPL-2.0-only

package mutants

import (
	"errors"
	"strings"
	"testing"
)

func TestPatchesThatDoMoreAreRefused(t *testing.T) {
	for _, patch := range []string{
		"@script:python@\n@@\nimport os\nos.system('id')\n",
		"@ script : ocaml @\n@@\n",
		"@script/* x */:/* y */python@\n@@\n",
		"@script\n:\npython p@\n@@\n",
		"@initialize:python@\n@@\n",
		"@initialize : OCaml@\n@@\n",
		"@finalize:python@\n@@\n",
		"@r@\nidentifier x : script:python() { True };\n@@\n- f(x);\n",
		"#spatch --python /tmp/evil\n@@ @@\n- f();\n",
		"  # spatch --macro-file x\n@@ @@\n- f();\n",
		"virtual patch\n@@ @@\n- f();\n",
		"using \"evil.iso\"\n@@ @@\n- f();\n",
		"@r using \"evil.iso\"@\n@@\n- f();\n",
		"#include \"/etc/shadow\"\n@@ @@\n- f();\n",
		" #include <other.cocci>\n@@ @@\n- f();\n",
		"@@ @@\n- f();\x00\n",
	} {
		if err := checkPatch(patch); !errors.Is(err, ErrScript) || !strings.Contains(err.Error(), "line ") {
			t.Errorf("%q: %v", patch, err)
		}
	}
	for _, patch := range []string{
		"@@ @@\n- f();\n", "@@ @@\n #include <net/a.h>\n+#include <net/sock.h>\n",
		"// describes how buffers are initialized\n@r@\nidentifier transcript;\n@@\n- f(transcript);\n",
	} {
		if err := checkPatch(patch); err != nil {
			t.Errorf("%q: %v", patch, err)
		}
	}
	if _, err := loadTrusted(folder(good, "@script:python@\n@@\n"), "dir"); !errors.Is(err, ErrScript) {
		t.Errorf("a mutant with a script: %v", err)
	}
	if _, err := Own(); err != nil {
		t.Error(err)
	}
}
