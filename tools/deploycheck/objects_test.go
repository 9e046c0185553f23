// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package deploycheck

import (
	"regexp"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// strict refuses fields that the API types do not have.
var strict = func() runtime.Decoder {
	known := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, monitoringv1.AddToScheme, gatewayv1.Install} {
		utilruntime.Must(add(known))
	}
	return serializer.NewCodecFactory(known, serializer.EnableStrict).UniversalDeserializer()
}()

var (
	separator = regexp.MustCompile(`(?m)^---$`)
	comment   = regexp.MustCompile(`(?m)^\s*#.*$`)
)

// documents are those of a manifest that hold an object.
func documents(manifest string) (found []string) {
	for _, document := range separator.Split(manifest, -1) {
		if regexp.MustCompile(`\S`).MatchString(comment.ReplaceAllString(document, "")) {
			found = append(found, document)
		}
	}
	return found
}

type objects []runtime.Object

func decode(t *testing.T, manifest string) (all objects) {
	t.Helper()
	for _, document := range documents(manifest) {
		object, _, err := strict.Decode([]byte(document), nil, nil)
		if err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		all = append(all, object)
	}
	return all
}

// all returns the objects of a type.
func all[T runtime.Object](o objects) (found []T) {
	for _, object := range o {
		if typed, ok := object.(T); ok {
			found = append(found, typed)
		}
	}
	return found
}

// one fails unless there is one object of the type.
func one[T runtime.Object](t *testing.T, o objects) T {
	t.Helper()
	found := all[T](o)
	if len(found) != 1 {
		t.Fatalf("%d of %T", len(found), *new(T))
	}
	return found[0]
}

func podTemplate(t *testing.T, o objects) corev1.PodTemplateSpec {
	t.Helper()
	if len(all[*appsv1.StatefulSet](o)) > 0 && len(all[*appsv1.Deployment](o)) == 0 {
		return one[*appsv1.StatefulSet](t, o).Spec.Template
	}
	return one[*appsv1.Deployment](t, o).Spec.Template
}

// TestDecodingIsStrict has a misspelt field fail.
func TestDecodingIsStrict(t *testing.T) {
	for _, document := range []string{
		"apiVersion: v1\nkind: Service\nspec: {selectr: {a: b}}",
		"apiVersion: v1\nkind: Service\nmetadata: {name: a, name: b}",
		"apiVersion: v2\nkind: Service",
	} {
		if object, _, err := strict.Decode([]byte(document), nil, nil); err == nil {
			t.Errorf("%s: decoded to %v", document, object)
		}
	}
}
