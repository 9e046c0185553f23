// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package deploycheck

import (
	"testing"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// TestKustomizationHoldsEveryDashboard builds it as kubectl apply -k does,
// without flags.
func TestKustomizationHoldsEveryDashboard(t *testing.T) {
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dashboardsDir)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := resources.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	configMaps := decode(t, string(manifest)).ConfigMaps
	wantDashboards(t, configMaps)
	for _, configMap := range configMaps {
		if configMap.Annotations["grafana_folder"] != "Hedera" {
			t.Errorf("ConfigMap %s: annotations %v, want the folder Hedera", configMap.Name, configMap.Annotations)
		}
	}
}
