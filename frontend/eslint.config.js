import js from "@eslint/js";
import jsxA11y from "eslint-plugin-jsx-a11y";
import reactHooks from "eslint-plugin-react-hooks";
import globals from "globals";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist", "screenshots", "node_modules", "src/api/schema.ts", "src/api/values.ts"] },
  js.configs.recommended,
  {
    files: ["src/**/*.{ts,tsx}", "vite.config.ts"],
    extends: [
      tseslint.configs.recommendedTypeChecked,
      reactHooks.configs.flat.recommended,
      jsxA11y.flatConfigs.recommended,
    ],
    rules: { "@typescript-eslint/no-unused-vars": ["error", { ignoreRestSiblings: true }] },
    languageOptions: { parserOptions: { projectService: true } },
  },
  { files: ["src/**/*.{ts,tsx}"], languageOptions: { globals: globals.browser } },
  { files: ["e2e/**/*.js", "scripts/**/*.js"], languageOptions: { globals: { ...globals.node, ...globals.browser } } },
  { files: ["*.cjs"], languageOptions: { globals: globals.node } },
  { files: ["public/**/*.js"], languageOptions: { sourceType: "script", globals: globals.browser } },
);
