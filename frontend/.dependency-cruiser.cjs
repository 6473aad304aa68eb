/** Which folders of src/ may import which. Type imports count. Each folder may import those before it. */
const LAYERS = ["src/lib", "src/api", "src/jobs", "src/components", "src/features", "src/app"];

module.exports = {
  forbidden: [
    { name: "no circles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "features do not know each other",
      severity: "error",
      from: { path: "^src/features/([^/]+)/", pathNot: "\\.test\\." },
      to: { path: "^src/features/", pathNot: "^src/features/$1/" },
    },
    ...LAYERS.slice(0, -1).map((layer, index) => ({
      name: `${layer} knows no outer layer`,
      severity: "error",
      from: { path: `^${layer}/`, pathNot: "\\.test\\." },
      to: { path: LAYERS.slice(index + 1).map((outer) => `^${outer}/`) },
    })),
    {
      name: "the page does not import test helpers",
      severity: "error",
      from: { path: "^src/", pathNot: "\\.test\\.|^src/testing/" },
      to: { path: "^src/testing/" },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
  },
};
