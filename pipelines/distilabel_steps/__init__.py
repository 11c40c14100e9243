"""Our stages as distilabel steps for anybody's pipeline. Importing them imports distilabel."""
