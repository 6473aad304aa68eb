import "react";

// The page's own CSS variables, besides what React knows.
declare module "react" {
  interface CSSProperties {
    "--ratio"?: number;
  }
}
