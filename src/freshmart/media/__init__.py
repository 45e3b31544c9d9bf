"""What products look like.

picture     a product's picture, drawn as PNG; the placeholder that stands in for it
kind        what a picture is, told by its first bytes
seaweedfs   where pictures lie: any store that speaks S3
"""

from freshmart.media.kind import KINDS, PNG, kind_of
from freshmart.media.picture import category_key, draw_picture, placeholder, product_key
from freshmart.media.seaweedfs import PictureStore

__all__ = ["KINDS", "PNG", "PictureStore", "category_key", "draw_picture", "kind_of", "placeholder", "product_key"]
