// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package deploycheck

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// kustomize builds a directory as kubectl apply -k does, without flags.
func kustomize(t *testing.T, dir string) string {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := resources.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	return string(manifest)
}

func TestKustomizationHoldsEveryDashboard(t *testing.T) {
	wantDashboards(t, all[*corev1.ConfigMap](decode(t, kustomize(t, dashboardsDir))))
}
