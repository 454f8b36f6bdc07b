/** A published package and the part of it that is taken. */
export interface Source {
  readonly name: string
  readonly version: string
  /** Only this folder of it. */
  readonly only?: string
}

/** The name of a tree. */
export type TreeName = "small" | "large"

/** What a tree is made of, and what must come out: a folder that differs was not made right. */
export interface Recipe {
  readonly sources: readonly Source[]
  readonly files: number
  readonly bytes: number
}

/** Published packages by name and exact version: the same files with the same bytes wherever a tree is made. */
export const RECIPES: Readonly<Record<TreeName, Recipe>> = {
  small: {
    sources: [
      { name: "core-js", version: "3.39.0" },
      { name: "date-fns", version: "3.6.0" },
      { name: "effect", version: "3.11.0" },
      { name: "monaco-editor", version: "0.52.2", only: "esm" },
      { name: "rxjs", version: "7.8.1" },
      { name: "three", version: "0.170.0" },
      { name: "typescript", version: "5.6.3" },
    ],
    files: 15_752,
    bytes: 125_179_988,
  },
  large: {
    sources: [
      { name: "@babel/standalone", version: "7.26.4" },
      { name: "@firebase/firestore", version: "4.7.5" },
      { name: "@fluentui/react-icons", version: "2.0.260" },
      { name: "@mui/icons-material", version: "6.1.0" },
      { name: "@tabler/icons", version: "3.31.0" },
      { name: "antd", version: "5.22.0" },
      { name: "aws-cdk-lib", version: "2.170.0" },
      { name: "aws-sdk", version: "2.1692.0" },
      { name: "date-fns", version: "4.1.0" },
      { name: "effect", version: "3.11.0" },
      { name: "googleapis", version: "144.0.0" },
      { name: "lucide-react", version: "0.468.0" },
      { name: "mathjax", version: "3.2.2" },
      { name: "monaco-editor", version: "0.45.0" },
      { name: "monaco-editor", version: "0.52.2" },
      { name: "next", version: "14.2.15" },
      { name: "next", version: "15.1.0" },
      { name: "react-native", version: "0.76.5" },
      { name: "three", version: "0.150.0" },
      { name: "typescript", version: "4.9.5" },
      { name: "typescript", version: "5.9.3" },
    ],
    files: 90_197,
    bytes: 1_176_363_649,
  },
}

/** What npm calls it; also the name of its folder in the tree, since a package may be there in two versions. */
export function label({ name, version }: Source): string {
  return `${name}@${version}`
}
