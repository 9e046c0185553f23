// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package live reads generated dashboards and asks Prometheus what their panels
// show, as Grafana would.
package live

import (
	"encoding/json"
	"fmt"
	"sync"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

var register = sync.OnceFunc(plugins.RegisterDefaultPlugins)

// annotationTexts are what Grafana's Prometheus data source reads of an
// annotation beside the fields that the SDK knows.
var annotationTexts = []string{"titleFormat", "textFormat", "tagKeys"}

// Decode reads a dashboard by the types of Grafana's SDK and refuses any field
// that they do not have.
func Decode(content []byte) (dashboard.Dashboard, error) {
	register()
	var decoded dashboard.Dashboard
	var tree map[string]any
	if err := json.Unmarshal(content, &tree); err != nil {
		return decoded, err
	}
	container, _ := tree["annotations"].(map[string]any)
	list, _ := container["list"].([]any)
	for _, item := range list {
		fields, ok := item.(map[string]any)
		if !ok {
			return decoded, fmt.Errorf("annotation is %T, want an object", item)
		}
		for _, name := range annotationTexts {
			delete(fields, name)
		}
	}
	known, err := json.Marshal(tree)
	if err != nil {
		return decoded, err
	}
	err = decoded.UnmarshalJSONStrict(known)
	return decoded, err
}

// Panels are the dashboard's panels without its rows.
func Panels(d dashboard.Dashboard) []dashboard.Panel {
	var panels []dashboard.Panel
	for _, item := range d.Panels {
		if item.Panel != nil {
			panels = append(panels, *item.Panel)
		}
		if item.RowPanel != nil {
			panels = append(panels, item.RowPanel.Panels...)
		}
	}
	return panels
}

// Colour is that of the last threshold that the value reaches.
func Colour(thresholds dashboard.ThresholdsConfig, value float64) string {
	colour := ""
	for _, step := range thresholds.Steps {
		if step.Value == nil || value >= *step.Value {
			colour = step.Color
		}
	}
	return colour
}
