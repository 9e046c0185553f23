// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package deploycheck

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

const composeFile = "../../deploy/compose/compose.yml"

func loadCompose(t *testing.T, env []string, profiles ...string) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{composeFile}, cli.WithProfiles(profiles), cli.WithEnv(env), cli.WithInterpolation(true))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return project
}

func TestProfiles(t *testing.T) {
	always := []string{"alertmanager", "exporter", "grafana", "prometheus"}
	if got := loadCompose(t, nil).ServiceNames(); !slices.Equal(slices.Sorted(slices.Values(got)), always) {
		t.Errorf("services %v, want %v", got, always)
	}
	simulated := loadCompose(t, []string{"HEDERA_EXPORTER_CONFIG=./simulated.yml"}, "simulator")
	if got := simulated.ServiceNames(); len(got) != len(always)+1 || !slices.Contains(got, "simulator") {
		t.Errorf("with the profile there are %v", got)
	}
	if source := simulated.Services["exporter"].Volumes[0].Source; !strings.HasSuffix(source, "/deploy/compose/simulated.yml") {
		t.Errorf("the exporter of the profile reads %s", source)
	}
}

// made are directories that Docker makes where they are not there.
var made = []string{"/deploy/compose/secrets"}

func TestMountsAreThere(t *testing.T) {
	for _, project := range []*types.Project{loadCompose(t, nil), loadCompose(t, []string{"HEDERA_EXPORTER_CONFIG=./simulated.yml"}, "simulator")} {
		for _, service := range project.Services {
			for _, volume := range service.Volumes {
				if volume.Type != types.VolumeTypeBind || slices.ContainsFunc(made, func(suffix string) bool { return strings.HasSuffix(volume.Source, suffix) }) {
					continue
				}
				if !volume.ReadOnly {
					t.Errorf("%s can write %s", service.Name, volume.Source)
				}
				if _, err := os.Stat(volume.Source); err != nil {
					t.Errorf("%s mounts %v", service.Name, err)
				}
			}
		}
	}
}

func TestServicesAreConfined(t *testing.T) {
	for _, service := range loadCompose(t, nil, "simulator").Services {
		if !service.ReadOnly || !slices.Equal(service.CapDrop, []string{"ALL"}) || service.Privileged {
			t.Errorf("%s: read-only %v, drops %v, privileged %v", service.Name, service.ReadOnly, service.CapDrop, service.Privileged)
		}
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s listens on %q", service.Name, port.HostIP)
			}
		}
		if service.Build == nil && !strings.Contains(service.Image, ":") {
			t.Errorf("%s has an image without a version: %s", service.Name, service.Image)
		}
	}
}
