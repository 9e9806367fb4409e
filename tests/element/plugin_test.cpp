// How the plugin presents itself.

#include <gmock/gmock.h>

#include "tests/element/harness.h"

namespace posecam::test {
namespace {

TEST(NeuronPlugin, ElementsAreNamedAndClassified) {
  struct Expected {
    const char* element;
    const char* type;
    const char* klass;
  };
  for (const Expected& e : {Expected{"neuroninfer", "GstNeuronInfer", "Filter/Video"},
                            Expected{"neuronoverlay", "GstNeuronOverlay", "Filter/Editor/Video"},
                            Expected{"neuronjson", "GstNeuronJson", "Filter/Metadata"}}) {
    GstElementFactory* factory = gst_element_factory_find(e.element);
    ASSERT_NE(factory, nullptr) << e.element;
    EXPECT_STREQ(gst_element_factory_get_metadata(factory, GST_ELEMENT_METADATA_KLASS), e.klass);
    EXPECT_STREQ(gst_plugin_feature_get_plugin_name(GST_PLUGIN_FEATURE(factory)), "neuron");
    const ElementRef element(gst_element_factory_create(factory, nullptr));
    EXPECT_STREQ(G_OBJECT_TYPE_NAME(element.get()), e.type);
    EXPECT_EQ(gst_plugin_feature_get_rank(GST_PLUGIN_FEATURE(factory)), static_cast<guint>(GST_RANK_NONE))
        << "nothing may plug it by itself";
    gst_object_unref(factory);
  }
}

TEST(NeuronPlugin, HasItsDebugCategories) {
  for (const char* element : {"neuroninfer", "neuronoverlay", "neuronjson"}) {
    const ElementRef made(gst_element_factory_make(element, nullptr));  // registers its class
  }
  std::vector<std::string> names;
  GSList* categories = gst_debug_get_all_categories();
  for (GSList* c = categories; c; c = c->next) {
    names.emplace_back(gst_debug_category_get_name(static_cast<GstDebugCategory*>(c->data)));
  }
  g_slist_free(categories);
  EXPECT_THAT(names, testing::IsSupersetOf({"neuron", "neuroninfer", "neuronoverlay", "neuronjson"}));
}

TEST(NeuronPlugin, EnumerationsAreMarkedAsItsApi) {
  for (const char* element : {"neuroninfer", "neuronoverlay", "neuronjson"}) {
    const ElementRef made(gst_element_factory_make(element, nullptr));
    guint count = 0;
    GParamSpec** specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(made.get()), &count);
    for (guint i = 0; i < count; ++i) {
      if (!G_IS_PARAM_SPEC_ENUM(specs[i]) || specs[i]->owner_type != G_OBJECT_TYPE(made.get())) continue;
      GstPluginAPIFlags flags{};
      EXPECT_TRUE(gst_type_is_plugin_api(specs[i]->value_type, &flags)) << element << ' ' << specs[i]->name;
    }
    g_free(specs);
  }
}

}  // namespace
}  // namespace posecam::test
