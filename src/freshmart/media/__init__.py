"""What products look like.

picture     a product's picture, drawn as SVG; the placeholder that stands in for it
seaweedfs   where pictures lie: any store that speaks S3
"""

from freshmart.media.picture import CONTENT_TYPE, category_key, draw_picture, placeholder, product_key
from freshmart.media.seaweedfs import PictureStore

__all__ = ["CONTENT_TYPE", "PictureStore", "category_key", "draw_picture", "placeholder", "product_key"]
